import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SqliteAsset } from '../../domain/configuration/types.ts';
import { resolveTool } from '../../tools/resolve.ts';
import { lookAt, removeTree } from '../hosts/filesystem.ts';
import { clearingUp, type Step } from '../step.ts';
import { captureSqlite, captureSqliteForSafety, preflightSqlite } from './sqlite-capture.ts';
import { query } from './sqlite-command.ts';
import { impactOnSqlite } from './sqlite-impact.ts';
import { readDatabase } from './sqlite-opening.ts';
import { rehearseSqlite } from './sqlite-rehearsal.ts';
import { settleSqlite, swapSqlite, undoSqlite } from './sqlite-swap.ts';
import { checkSqliteTarget, resolveSqliteTarget } from './sqlite-target.ts';
import type { RestoreTarget, Source } from './source.ts';

export interface SqliteSourceOptions {
  /** Executable; absent: the one `resolveTool` finds. */
  sqlite3?: string;
  /** Absolute paths a restore must never write into or replace: the data directory, local repositories. */
  reserved?: readonly string[];
  /** How long a copy may begin anew before writers are held off instead; default 30. */
  restartingSeconds?: number;
  /** Called after every step of a swap that a crash could follow. Tests throw from it. */
  afterStep?: (name: string) => void | Promise<void>;
}

/** One SQLite file, copied by SQLite itself, never as a live file. */
export function createSqliteSource(options: SqliteSourceOptions = {}): Source<SqliteAsset> {
  return {
    preflight: (asset) => preflightSqlite(asset, options),
    size: async (asset) => {
      const files = await Promise.all([asset.path, `${asset.path}-wal`].map(lookAt));
      return files.reduce((sum, file) => sum + Number(file?.size ?? 0), 0);
    },
    capture: (asset, workspace, step, wanted) => captureSqlite(asset, workspace, step, wanted, options),
    captureForSafety: (asset, target, workspace, step) =>
      captureSqliteForSafety(asset, target, workspace, step, options),
    rehearse: (_asset, restored, manifest, workspace, step, use) =>
      rehearseSqlite(restored, manifest, workspace, step, options, use),
    resolveTarget: (asset, to) => resolveSqliteTarget(asset, to, options),
    checkTarget: (asset, target, bytes, step) => checkSqliteTarget(asset, target, bytes, step),
    impact: (asset, order, workspace, step) => impactOnSqlite(asset, order, workspace, step, options),
    swap: (_asset, order, step) => swapSqlite(order, step, options),
    undo: (_asset, order, step) => undoSqlite(order, step, options),
    settle: (_asset, order, step) => settleSqlite(order, step),
    holds: (asset, target, sql, step) => answersTrue(asset, target, sql, step, options),
  };
}

async function answersTrue(
  asset: SqliteAsset,
  target: RestoreTarget,
  sql: string,
  step: Step,
  options: { sqlite3?: string },
): Promise<boolean> {
  const sqlite3 = options.sqlite3 ?? (await resolveTool('sqlite3')).path;
  const scratch = await mkdtemp(join(tmpdir(), 'holdfast-sql-'));
  try {
    const opening = { scratch, untouched: false };
    const rows = await readDatabase(target.location, asset.name, opening, step, (uri) =>
      query({ sqlite3, uri }, sql, step),
    );
    const first = rows[0]?.split('|')[0]?.trim().toLowerCase() ?? '';
    return (
      rows.length === 1 &&
      (first === 'true' || (first !== '' && Number(first) !== 0 && !Number.isNaN(Number(first))))
    );
  } finally {
    await removeTree(scratch, clearingUp(step));
  }
}
