import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SqliteAsset } from '../../domain/configuration/types.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { asTyped, tableChanges } from '../../domain/impact.ts';
import type { Impact } from '../../domain/restore.ts';
import { resolveTool } from '../../tools/resolve.ts';
import { holdersOf, namesOf } from '../hosts/file-holders.ts';
import { lookAt } from '../hosts/filesystem.ts';
import type { Step } from '../step.ts';
import type { RestoreOrder, Workspace } from './source.ts';
import { countTables } from './sqlite-facts.ts';
import { filesOf } from './sqlite-files.ts';
import { databaseUri } from './sqlite-command.ts';
import { privateCopy, readDatabase } from './sqlite-opening.ts';
import { findDatabase } from './sqlite-rehearsal.ts';

/** Rows per table before and after. Leaves the target and the files beside it byte for byte as they are. */
export async function impactOnSqlite(
  asset: SqliteAsset,
  order: RestoreOrder,
  workspace: Workspace,
  step: Step,
  options: { sqlite3?: string },
): Promise<Impact> {
  refuseInclude(order);
  const sqlite3 = options.sqlite3 ?? (await resolveTool('sqlite3')).path;
  const manifest = order.manifest?.kind === 'sqlite' ? order.manifest : null;
  const found = await findDatabase(order.restored, manifest);
  if (typeof found === 'string') throw nothingRestored(found);
  const warnings: string[] = [];
  const before = await countTarget(asset, order, workspace, sqlite3, warnings, step);
  const after = manifest?.tables ?? (await countRestored(found, workspace, sqlite3, warnings, step));
  const holders = await holdersOf(filesOf(order.target.location));
  if (holders.length > 0) {
    const stops =
      asset.restore.stop.length > 0
        ? 'is to be stopped before the commit'
        : 'must be stopped before the commit';
    warnings.push(`the database is open in ${namesOf(holders)}, which ${stops}`);
  }
  return {
    files: null,
    tables: tableChanges(before, after),
    bytes: (await stat(found.path)).size,
    stops: asset.restore.stop.map(asTyped),
    starts: asset.restore.start.map(asTyped),
    warnings,
  };
}

export function refuseInclude(order: RestoreOrder): void {
  if (order.include.length === 0) return;
  throw new HoldfastError({
    code: 'usage',
    message: 'an SQLite database is restored whole',
    cause: `--include ${order.include.join(' ')} was given`,
    hint: 'restore it beside with --to, and copy the rows you want from there',
  });
}

async function countTarget(
  asset: SqliteAsset,
  order: RestoreOrder,
  workspace: Workspace,
  sqlite3: string,
  warnings: string[],
  step: Step,
): Promise<Record<string, number> | null> {
  const { location } = order.target;
  if (!(await lookAt(location))) return null;
  try {
    const opening = { scratch: join(workspace.scratch, 'target'), untouched: true };
    const counted = await readDatabase(location, asset.name, opening, step, (uri) =>
      countTables({ sqlite3, uri }, step),
    );
    if (counted.notCounted.length > 0)
      warnings.push(`not counted at the target: ${counted.notCounted.join(', ')}`);
    return counted.tables;
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError) || thrown.code === 'cancelled') throw thrown;
    warnings.push(`what is at ${location} could not be counted: ${thrown.cause || thrown.message}`);
    return null;
  }
}

async function countRestored(
  found: { path: string; raw: boolean },
  workspace: Workspace,
  sqlite3: string,
  warnings: string[],
  step: Step,
): Promise<Record<string, number> | null> {
  const scratch = join(workspace.scratch, 'restored');
  const uri = found.raw ? await privateCopy(found.path, scratch, step) : databaseUri(found.path, 'immutable');
  try {
    return (await countTables({ sqlite3, uri }, step)).tables;
  } catch (thrown) {
    // A safety point keeps a broken database as it was: that it cannot be counted must be known, no more.
    if (!(thrown instanceof HoldfastError) || thrown.code === 'cancelled') throw thrown;
    warnings.push(`what was restored could not be counted: ${thrown.cause}`);
    return null;
  }
}

function nothingRestored(cause: string): HoldfastError {
  return new HoldfastError({
    code: 'proof.failed',
    message: 'the recovery point does not hold the database',
    cause,
    hint: 'choose another recovery point',
  });
}
