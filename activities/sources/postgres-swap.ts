// Puts a restored database in the place of another. The databases' names are the truth about how far it is:
//
//     <db>_holdfast_<restore>_new    being restored; at the end it takes the target's name
//     <db>_holdfast_<restore>_old    what was there; kept until the restore is settled
//
// Both renames are one transaction, so a crash leaves either the old state or the new one. A small journal
// says what names can't: whether there was a target at all, and whether it took connections.

import { HoldfastError } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import type { PostgresAddress } from './postgres-address.ts';
import { readArchive, restoreArchive, type Archive } from './postgres-archive.ts';
import { connect, type Connection } from './postgres-connection.ts';
import {
  allowConnections,
  applyProperties,
  connectBeside,
  databaseOn,
  dropDatabase,
  endConnections,
  existingDatabases,
  propertiesOf,
  renameDatabases,
} from './postgres-databases.ts';
import { quotedName, swapNames, type SwapNames } from './postgres-identifiers.ts';
import { createMissingRoles, dropRoles, planRoles } from './postgres-roles.ts';
import { readJournal, writeJournal, type Journal } from './postgres-swap-journal.ts';
import { countDifferences, countRows } from './postgres-tables.ts';
import type { RestoreOrder } from './source.ts';

export interface Swap {
  /** Of the asset; the server is the target's too. */
  address: PostgresAddress;
  order: RestoreOrder;
  /** The program that suits this `server_version_num`: a newer one sets what an older server does not know. */
  pgRestoreFor(serverVersion: number): Promise<string>;
  /** For tests: called when a stage is reached, and may fail there. */
  onStage?: (stage: SwapStage) => void | Promise<void>;
}

export type SwapStage =
  'journaled' | 'rolesCreated' | 'created' | 'restored' | 'checked' | 'connectionsEnded' | 'swapped';

export async function swapDatabase(swap: Swap, step: Step): Promise<void> {
  const { address, order, onStage } = swap;
  const names = swapNames(order.target.location, order.restoreId);
  const server = await connectBeside(address, names.target, step);
  try {
    const journal = await beginJournal(server, names, order);
    await onStage?.('journaled');
    if (await isSwapped(server, names, journal, order)) return;
    // A predecessor may have died between ending the connections and the renames.
    if (journal.existed) await allowConnections(server, names.target, journal.allowConnections);
    await dropDatabase(server, names.incoming);
    const pgRestore = await swap.pgRestoreFor(server.serverVersion);
    const archive = await readArchive(order.restored, pgRestore, step);
    const { create } = await planRoles(server, archive);
    journal.roles = [...new Set([...journal.roles, ...create.map(({ role }) => role)])];
    await writeJournal(order, journal);
    await createMissingRoles(server, archive);
    await onStage?.('rolesCreated');
    await createIncoming(server, names, archive);
    await onStage?.('created');
    const incoming = databaseOn(address, names.incoming);
    await restoreArchive(archive, incoming, pgRestore, step);
    await onStage?.('restored');
    await checkRows(incoming, order, step);
    await onStage?.('checked');
    await takeProperties(server, names, archive);
    await writeJournal(order, { ...journal, phase: 'renaming' });
    await exchange(server, names, journal, onStage);
    await onStage?.('swapped');
  } finally {
    await server.close();
  }
}

/** From any state `swapDatabase` can have left, also one reached by a crash in here. */
export async function undoSwap({ address, order }: Swap, step: Step): Promise<void> {
  const names = swapNames(order.target.location, order.restoreId);
  const server = await connectBeside(address, names.target, step);
  try {
    const journal = await readJournal(order);
    const there = await existingDatabases(server, Object.values(names));
    const allowed = journal?.allowConnections ?? true;
    if (there.has(names.previous)) await bringBack(server, names, there, allowed);
    else if (journal?.phase === 'renaming' && !journal.existed && !there.has(names.incoming)) {
      // Nothing was there before, and only the restore can have given this name away.
      await dropDatabase(server, names.target);
    } else if (journal?.existed && there.has(names.target))
      await allowConnections(server, names.target, allowed);
    await dropDatabase(server, names.incoming);
    await dropRoles(server, journal?.roles ?? [], step);
    if (journal) await writeJournal(order, { ...journal, phase: 'undone', roles: [] });
  } finally {
    await server.close();
  }
}

export async function settleSwap({ address, order }: Swap, step: Step): Promise<void> {
  const names = swapNames(order.target.location, order.restoreId);
  const server = await connectBeside(address, names.target, step);
  try {
    const there = await existingDatabases(server, Object.values(names));
    if (!there.has(names.target)) {
      throw new HoldfastError({
        code: 'internal',
        message: `what restore ${order.restoreId} set aside is kept: database ${names.target} is not there`,
        cause: `found ${[...there].join(', ') || 'none of its databases'}`,
        hint: 'look at the databases of the server before anything else is done',
      });
    }
    await dropDatabase(server, names.previous);
    await dropDatabase(server, names.incoming);
  } finally {
    await server.close();
  }
}

async function beginJournal(server: Connection, names: SwapNames, order: RestoreOrder): Promise<Journal> {
  const earlier = await readJournal(order);
  if (earlier && earlier.phase !== 'undone') return earlier;
  const there = await existingDatabases(server, Object.values(names));
  const properties = await propertiesOf(server, names.target);
  const journal: Journal = {
    existed: there.has(names.target) || there.has(names.previous),
    allowConnections: properties?.allowConnections ?? true,
    roles: [],
    phase: 'restoring',
  };
  await writeJournal(order, journal);
  return journal;
}

async function isSwapped(
  server: Connection,
  names: SwapNames,
  journal: Journal,
  order: RestoreOrder,
): Promise<boolean> {
  const there = await existingDatabases(server, Object.values(names));
  if (there.has(names.previous) && there.has(names.target)) return true;
  if (there.has(names.previous)) {
    const { allowConnections: allowed } = journal;
    await renameDatabases(server, [[names.previous, names.target]], {
      name: names.target,
      allowConnections: allowed,
    });
  }
  if (journal.existed || !there.has(names.target)) return false;
  if (journal.phase === 'renaming' && !there.has(names.incoming)) return true;
  throw new HoldfastError({
    code: 'target.notEmpty',
    message: `restore ${order.restoreId} found a database ${names.target} that was not there when it began`,
    cause: 'somebody created it meanwhile',
    hint: 'rename or drop it, or restore to another name with `--to`',
  });
}

async function createIncoming(server: Connection, names: SwapNames, { definition }: Archive): Promise<void> {
  await server.query(
    `create database ${quotedName(names.incoming)} with template template0 ${definition?.options ?? ''}`,
  );
}

async function checkRows(incoming: PostgresAddress, order: RestoreOrder, step: Step): Promise<void> {
  const copy = await connect(incoming, step);
  try {
    if (order.manifest?.kind === 'postgres') {
      const differences = countDifferences(order.manifest.tables, await countRows(copy));
      if (differences.length > 0) {
        throw new HoldfastError({
          code: 'proof.failed',
          message: `what was restored of ${order.target.description} is not what was backed up`,
          cause: differences.slice(0, 10).join('; '),
          hint: 'the target is as it was; restore from another copy or an earlier recovery point',
        });
      }
    }
    // Without statistics the first queries of a restored database can be slow beyond use.
    await copy.query('analyze');
  } finally {
    await copy.close();
  }
}

/** The target's own as it is now, else those in the dump. */
async function takeProperties(server: Connection, names: SwapNames, { definition }: Archive): Promise<void> {
  const current = await propertiesOf(server, names.target);
  if (current) return applyProperties(server, names.incoming, current);
  for (const statement of definition?.properties(names.incoming) ?? []) await server.query(statement);
}

/** Only here connections end; when the renames are refused they are let in again. */
async function exchange(
  server: Connection,
  names: SwapNames,
  journal: Journal,
  onStage: Swap['onStage'],
): Promise<void> {
  const target = { name: names.target, allowConnections: journal.allowConnections };
  if (!journal.existed) return renameDatabases(server, [[names.incoming, names.target]], target);
  try {
    await endConnections(server, names.target);
    await onStage?.('connectionsEnded');
    const renames: [string, string][] = [
      [names.target, names.previous],
      [names.incoming, names.target],
    ];
    await renameDatabases(server, renames, target);
  } catch (error) {
    await server.query('rollback').catch(() => undefined);
    await allowConnections(server, names.target, target.allowConnections).catch(() => undefined);
    throw error;
  }
}

async function bringBack(
  server: Connection,
  names: SwapNames,
  there: Set<string>,
  allowed: boolean,
): Promise<void> {
  const target = { name: names.target, allowConnections: allowed };
  if (!there.has(names.target)) return renameDatabases(server, [[names.previous, names.target]], target);
  if (there.has(names.incoming)) await dropDatabase(server, names.incoming);
  await endConnections(server, names.target);
  const renames: [string, string][] = [
    [names.target, names.incoming],
    [names.previous, names.target],
  ];
  return renameDatabases(server, renames, target);
}
