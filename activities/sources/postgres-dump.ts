// Takes a dump and, from the very same snapshot of the database, the number of rows in every table.

import { join } from 'node:path';
import type { PostgresManifest } from '../../domain/recovery-point.ts';
import type { PostgresBinaries } from '../hosts/postgres-binaries.ts';
import type { Step } from '../step.ts';
import { databaseArgument, toolEnvironment, type PostgresAddress } from './postgres-address.ts';
import { connect, type Connection } from './postgres-connection.ts';
import { countRows, DUMPED_TABLES } from './postgres-tables.ts';
import type { Capture, CaptureOptions, SnapshotPart } from './source.ts';

/** Up to so many tables are counted under the lock that also keeps them from being truncated meanwhile. */
const TABLES_LOCKED_TOGETHER = 500;

/**
 * Holds a read-only transaction open until `close`: pg_dump joins its snapshot, and rows are counted in
 * it while the dump streams. When the connection is lost, `settle` fails and nothing counts as captured.
 */
export async function captureDump(
  address: PostgresAddress,
  binaries: PostgresBinaries,
  step: Step,
  options: CaptureOptions,
): Promise<Capture> {
  const holder = await connect(address, step);
  try {
    const snapshot = await exportSnapshot(holder);
    const facts = await factsOf(holder);
    const counting = options.manifest ? count(holder, address, snapshot, facts.tables, step) : null;
    // Reported by settle; until then nobody listens.
    counting?.catch(() => undefined);
    return {
      method: 'dump',
      parts: [
        dumpPart(address, binaries, snapshot, facts.bytes),
        globalsPart(address, binaries, facts.mayReadPasswords),
      ],
      settle: async () => {
        const tables = await counting;
        // The transaction must have lived to the end of the dump.
        await holder.query('select 1');
        return {
          manifest: tables && manifestOf(address, holder, facts.bytes, tables),
          notes: facts.mayReadPasswords
            ? []
            : [`the passwords of roles are not in this recovery point: ${address.user} may not read them`],
        };
      },
      close: () => holder.close(),
    };
  } catch (error) {
    await holder.close();
    throw error;
  }
}

export function dumpPart(
  address: PostgresAddress,
  binaries: PostgresBinaries,
  snapshot: string,
  expectedBytes: number | null,
): SnapshotPart {
  return {
    kind: 'command',
    name: 'dump',
    command: [
      join(binaries.folder, 'pg_dump'),
      '--format=custom',
      // The repository compresses and finds equal pieces, which it can't in what is compressed already.
      '--compress=0',
      '--no-password',
      `--snapshot=${snapshot}`,
      '--lock-wait-timeout=300000',
      databaseArgument('--dbname', address.database),
    ],
    env: toolEnvironment(address),
    fileName: `${safeFileName(address.database)}.dump`,
    expectedBytes,
  };
}

function globalsPart(address: PostgresAddress, binaries: PostgresBinaries, passwords: boolean): SnapshotPart {
  return {
    kind: 'command',
    name: 'globals',
    command: [
      join(binaries.folder, 'pg_dumpall'),
      '--globals-only',
      '--no-password',
      ...(passwords ? [] : ['--no-role-passwords']),
      databaseArgument('--database', address.database),
    ],
    env: toolEnvironment(address),
    fileName: 'globals.sql',
    expectedBytes: null,
  };
}

function safeFileName(database: string): string {
  return database.replaceAll(/[^A-Za-z0-9_.-]/g, '_').replace(/^[.-]+/, '_') || 'database';
}

/** Timeouts a role or database may set would end the transaction while the dump still runs. */
export async function exportSnapshot(holder: Connection): Promise<string> {
  for (const setting of ['statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout']) {
    await holder.query(`set ${setting} = 0`);
  }
  await holder.query('begin transaction isolation level repeatable read, read only');
  await holder.query('set local row_security = off');
  const [row] = await holder.query<{ id: string }>('select pg_export_snapshot() as id');
  return row?.id ?? '';
}

async function factsOf(holder: Connection) {
  const [row] = await holder.query<{ bytes: string; tables: string; passwords: boolean }>(
    `select pg_database_size(current_database()) as bytes,
            (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${DUMPED_TABLES}) as tables,
            has_table_privilege('pg_authid', 'SELECT') as passwords`,
  );
  return {
    bytes: Number(row?.bytes ?? 0),
    tables: Number(row?.tables ?? 0),
    mayReadPasswords: row?.passwords ?? false,
  };
}

async function count(
  holder: Connection,
  address: PostgresAddress,
  snapshot: string,
  tables: number,
  step: Step,
) {
  if (tables <= TABLES_LOCKED_TOGETHER) return countRows(holder);
  const counter = await connect(address, step);
  try {
    await counter.query('set statement_timeout = 0');
    await counter.query('set row_security = off');
    return await countRows(counter, { snapshot });
  } finally {
    await counter.close();
  }
}

function manifestOf(
  address: PostgresAddress,
  holder: Connection,
  bytes: number,
  tables: Record<string, number>,
): PostgresManifest {
  return { kind: 'postgres', database: address.database, serverVersion: holder.serverVersion, bytes, tables };
}
