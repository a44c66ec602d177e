import { access, constants, mkdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SqliteAsset } from '../../domain/configuration/types.ts';
import { formatBytes } from '../../domain/bytes.ts';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import type { SqliteManifest } from '../../domain/recovery-point.ts';
import { resolveTool } from '../../tools/resolve.ts';
import { freeBytes, lookAt, removeTree, runOrThrow } from '../hosts/filesystem.ts';
import { clearingUp, type Step } from '../step.ts';
import { digestOfFile } from '../verify/file-digest.ts';
import { databaseUri, runSqlite, sqliteFailure } from './sqlite-command.ts';
import { countTables, foreignKeyViolations, integrityProblems } from './sqlite-facts.ts';
import { copyFiles, readDatabase } from './sqlite-opening.ts';
import { inspectDatabase } from './sqlite-files.ts';
import type { Capture, CaptureOptions, RestoreTarget, Workspace } from './source.ts';

/** Copying page by page begins anew whenever another process writes; after so long it is held off instead. */
const RESTARTING_SECONDS = 30;
const HEADROOM_BYTES = 16 * 1024 * 1024;

export async function preflightSqlite(asset: SqliteAsset, options: { sqlite3?: string }): Promise<void> {
  const { size } = await inspectDatabase(asset.path, asset.name);
  try {
    await access(dirname(asset.path), constants.R_OK | constants.X_OK);
  } catch (thrown) {
    throw new HoldfastError({
      code: 'source.unreadable',
      message: `the folder of sqlite asset ${asset.name} cannot be read: ${dirname(asset.path)}`,
      cause: wordsOf(thrown),
      hint: 'SQLite needs the files beside the database: give the account read access to the folder',
    });
  }
  if (size === 0 || size < asset.expect.minBytes) {
    throw new HoldfastError({
      code: 'source.empty',
      message: `sqlite asset ${asset.name} is smaller than it must be: ${asset.path}`,
      cause: `${formatBytes(size)} there, expected at least ${formatBytes(Math.max(1, asset.expect.minBytes))}`,
      hint: 'mount what belongs there, or lower `expect` if it may be that small; the last recovery point stays',
    });
  }
  if (options.sqlite3 === undefined) await resolveTool('sqlite3');
}

/** A consistent copy through SQLite itself, found sound; its facts are taken from that very copy. */
export async function captureSqlite(
  asset: SqliteAsset,
  workspace: Workspace,
  step: Step,
  wanted: CaptureOptions,
  options: { sqlite3?: string; restartingSeconds?: number },
): Promise<Capture> {
  await preflightSqlite(asset, options);
  const sqlite3 = options.sqlite3 ?? (await resolveTool('sqlite3')).path;
  const folder = join(workspace.staging, 'database');
  const close = async () => await removeTree(folder, clearingUp(step));
  try {
    const staged = await stage(asset.path, asset.name, folder, workspace, { ...options, sqlite3 }, step);
    const { manifest, notes } = await describe(staged, asset, sqlite3, wanted, step);
    return {
      method: 'sqlite-backup',
      parts: [{ kind: 'folder', name: 'database', path: folder, exclude: [] }],
      settle: async () => ({ manifest, notes }),
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** A clean copy where SQLite can make one; of a broken database its files as they lie. */
export async function captureSqliteForSafety(
  asset: SqliteAsset,
  target: RestoreTarget,
  workspace: Workspace,
  step: Step,
  options: { sqlite3?: string; restartingSeconds?: number },
): Promise<Capture | null> {
  const stats = await lookAt(target.location);
  if (!stats?.isFile()) return null;
  const at = { ...asset, path: target.location, expect: { minBytes: 0 } };
  try {
    return await captureSqlite(at, workspace, step, { manifest: true }, options);
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError) || !RAW_WILL_DO.has(thrown.code)) throw thrown;
    step.say(
      'warning',
      `no clean copy of ${target.location} can be made (${thrown.cause}): keeping its files as they lie`,
    );
  }
  const folder = join(workspace.staging, 'database');
  await removeTree(folder, step);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await copyFiles(target.location, folder, step);
  const notes = ['the database at the target was not sound; its files are kept as they lay'];
  return {
    method: 'raw-files',
    parts: [{ kind: 'folder', name: 'database', path: folder, exclude: [] }],
    settle: async () => ({ manifest: null, notes }),
    close: async () => await removeTree(folder, clearingUp(step)),
  };
}

const RAW_WILL_DO = new Set<string>([
  'source.invalid',
  'source.empty',
  'source.unreachable',
  'tool.failed',
  'source.unreadable',
]);

async function stage(
  path: string,
  name: string,
  folder: string,
  workspace: Workspace,
  options: { sqlite3: string; restartingSeconds?: number },
  step: Step,
): Promise<string> {
  const incoming = join(workspace.staging, 'incoming');
  for (const left of [incoming, folder]) await removeTree(left, step);
  await expectRoom(path, name, workspace.staging);
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  const opening = { scratch: workspace.scratch, untouched: false };
  try {
    const { usesWal } = await inspectDatabase(path, name);
    await readDatabase(path, name, opening, step, (uri) =>
      backUp(uri, usesWal, name, incoming, options, step),
    );
    const staged = join(incoming, basename(path));
    await rename(join(incoming, STAGED), staged);
    await copyAttributes(path, staged, step);
    await rename(incoming, folder);
  } finally {
    await removeTree(incoming, clearingUp(step));
  }
  return join(folder, basename(path));
}

/** A name of our own: the real one never gets into a dot-command. */
const STAGED = 'staged.db';

async function backUp(
  uri: string,
  usesWal: boolean,
  name: string,
  cwd: string,
  options: { sqlite3: string; restartingSeconds?: number },
  step: Step,
): Promise<void> {
  const attempted = `copying the database of ${name}`;
  const request = { sqlite3: options.sqlite3, uri, cwd };
  const copy = `.backup main ${STAGED}`;
  // Inside a read transaction the copy is of that moment and never restarts. In WAL mode it holds nobody up;
  // with a rollback journal it keeps writers waiting, so there it comes second.
  const held = ['BEGIN', 'SELECT 1 FROM sqlite_schema LIMIT 1', copy];
  const watched = watchGrowth(join(cwd, STAGED), step);
  try {
    if (!usesWal) {
      const limitSeconds = options.restartingSeconds ?? RESTARTING_SECONDS;
      const plain = await runSqlite({ ...request, commands: [copy], limitSeconds }, step).catch(
        (thrown: unknown) => {
          if (thrown instanceof HoldfastError && thrown.code === 'tool.stalled') return null;
          throw thrown;
        },
      );
      if (plain?.exitCode === 0) return;
      if (plain && !/locked|busy/.test(plain.stderr)) throw sqliteFailure(plain, attempted);
      step.say('info', `${name} is written all the time: its writers wait while it is copied`);
      await removeTree(join(cwd, STAGED), step);
      await removeTree(join(cwd, `${STAGED}-journal`), step);
    }
    const result = await runSqlite({ ...request, commands: held }, step);
    if (result.exitCode !== 0) throw sqliteFailure(result, attempted);
  } finally {
    watched.stop();
  }
}

/** The original's owner, mode and times go into the repository with the content. */
async function copyAttributes(from: string, to: string, step: Step): Promise<void> {
  const args = ['--attributes-only', '--preserve=mode,ownership,timestamps,xattr', '--', from, to];
  await runOrThrow('cp', args, `giving the copy the attributes of ${from}`, step);
}

async function describe(
  staged: string,
  asset: SqliteAsset,
  sqlite3: string,
  wanted: CaptureOptions,
  step: Step,
): Promise<{ manifest: SqliteManifest | null; notes: string[] }> {
  const database = { sqlite3, uri: databaseUri(staged, 'immutable') };
  const problems = await integrityProblems(database, step);
  if (problems.length > 0) {
    throw new HoldfastError({
      code: 'source.invalid',
      message: `the live database of ${asset.name} is corrupt: ${asset.path}`,
      cause: `integrity_check said: ${problems.slice(0, 5).join('; ')}`,
      hint: 'restore it from its last proven recovery point, which stays; then look for what damaged it',
    });
  }
  if (!wanted.manifest) return { manifest: null, notes: [] };
  const notes: string[] = [];
  const violations = await foreignKeyViolations(database, step);
  if (violations === null)
    notes.push('foreign keys could not be checked: the schema refers to something that is not there');
  else if (violations > 0) notes.push(`${violations} rows break a foreign key in the live database itself`);
  const { tables, notCounted } = await countTables(database, step);
  if (notCounted.length > 0) notes.push(`tables that could not be counted: ${notCounted.join(', ')}`);
  const sha256 = await digestOfFile(staged, step);
  const bytes = (await stat(staged)).size;
  return { manifest: { kind: 'sqlite', fileName: basename(staged), bytes, sha256, tables }, notes };
}

async function expectRoom(path: string, name: string, folder: string): Promise<void> {
  let needed = HEADROOM_BYTES;
  for (const file of [path, `${path}-wal`]) needed += Number((await lookAt(file))?.size ?? 0);
  const free = await freeBytes(folder);
  if (free >= needed) return;
  throw new HoldfastError({
    code: 'staging.full',
    message: `staging has no room for a copy of ${name}`,
    cause: `needed ${formatBytes(needed)}, ${formatBytes(free)} free on ${folder}`,
    hint: "free space on the data directory's file system, or move `dataDir`",
  });
}

/** sqlite3 says nothing while it copies, but the copy grows. */
function watchGrowth(file: string, step: Step): { stop(): void } {
  const timer = setInterval(() => {
    void lookAt(file).then((stats) => {
      const bytesDone = Number(stats?.size ?? 0);
      step.progress({
        phase: 'copying',
        bytesDone,
        bytesTotal: null,
        filesDone: 0,
        filesTotal: 1,
        bytesPerSecond: 0,
        etaSeconds: null,
      });
    });
  }, 1_000);
  return { stop: () => clearInterval(timer) };
}
