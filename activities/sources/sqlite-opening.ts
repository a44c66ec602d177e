// Opening a database that belongs to somebody else without leaving a trace. In WAL mode even a read-only
// connection makes -wal and -shm and leaves them behind, owned by us, where the application may then be
// unable to write them.
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { HoldfastError } from '../../domain/errors.ts';
import { holdersOf } from '../hosts/file-holders.ts';
import { freeBytes, lookAt, removeTree, runOrThrow } from '../hosts/filesystem.ts';
import type { Step } from '../step.ts';
import { databaseUri } from './sqlite-command.ts';
import { filesOf, inspectDatabase } from './sqlite-files.ts';

const ATTEMPTS = 3;

export interface OpeningOptions {
  /** For private copies; emptied. */
  scratch: string;
  /** Also the -shm must stay as it is, which a reader beside a crashed writer's -wal would rebuild. */
  untouched: boolean;
}

/**
 * Lets `read` look at the database through a URI and returns what it returns. What was read without locks is
 * read again when anybody wrote meanwhile.
 */
export async function readDatabase<T>(
  path: string,
  name: string,
  options: OpeningOptions,
  step: Step,
  read: (uri: string) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const way = await chooseWay(path, name, options);
    if (way === 'locked') {
      const uri = databaseUri(path, 'ro');
      return await read(uri).catch(async (thrown: unknown) => {
        // After a crash a rollback journal must be played back first, which a reader may not do in place.
        if (!(await lookAt(`${path}-journal`))) throw thrown;
        return await read(await privateCopy(path, options.scratch, step));
      });
    }
    const before = await fingerprint(path);
    const uri =
      way === 'still' ? databaseUri(path, 'immutable') : await privateCopy(path, options.scratch, step);
    const unchanged = async () => (await fingerprint(path)) === before;
    if (way === 'copy' && !(await unchanged())) {
      if (attempt < ATTEMPTS) continue;
      throw stillChanging(path);
    }
    const result = await read(uri).then(
      (value) => ({ value }),
      (thrown: unknown) => ({ thrown }),
    );
    if (way === 'copy' || (await unchanged())) {
      if ('thrown' in result) throw result.thrown;
      return result.value;
    }
    if (attempt >= ATTEMPTS) throw stillChanging(path);
  }
}

/** The file and what belongs to it, brought to a folder of ours where opening may change it. */
export async function privateCopy(path: string, scratch: string, step: Step): Promise<string> {
  const folder = join(scratch, 'private');
  await removeTree(folder, step);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await copyFiles(path, folder, step);
  return databaseUri(join(folder, basename(path)), 'rw');
}

/** Without the -shm, which is only an index and is made anew. */
export async function copyFiles(path: string, folder: string, step: Step): Promise<void> {
  const present: string[] = [];
  let bytes = 0;
  for (const file of filesOf(path)) {
    const stats = file.endsWith('-shm') ? null : await lookAt(file);
    if (!stats?.isFile()) continue;
    present.push(file);
    bytes += Number(stats.size);
  }
  const free = await freeBytes(folder);
  if (free < bytes) {
    throw new HoldfastError({
      code: 'staging.full',
      message: `copying ${path} needs more room than staging has`,
      cause: `needed ${bytes} bytes, ${free} free on ${folder}`,
      hint: "free space on the data directory's file system",
    });
  }
  await runOrThrow('cp', ['-p', '--reflink=auto', '-t', folder, '--', ...present], `copying ${path}`, step);
}

/**
 * `locked`: SQLite's own locks do it, and leave nothing. `still`: nobody is using it and nothing is pending,
 * so its file alone is the database. `copy`: something is pending that opening would change.
 */
async function chooseWay(
  path: string,
  name: string,
  options: OpeningOptions,
): Promise<'locked' | 'still' | 'copy'> {
  const { usesWal } = await inspectDatabase(path, name);
  const hasWal = (await lookAt(`${path}-wal`)) !== null;
  const hasShm = (await lookAt(`${path}-shm`)) !== null;
  if (!usesWal && !hasWal) return 'locked';
  if (!hasWal) return 'still';
  if (!hasShm) return 'copy';
  return !options.untouched || (await holdersOf(filesOf(path))).length > 0 ? 'locked' : 'copy';
}

async function fingerprint(path: string): Promise<string> {
  const facts = await Promise.all(
    filesOf(path)
      .filter((file) => !file.endsWith('-shm'))
      .map(async (file) => {
        const stats = await lookAt(file);
        return stats ? `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}` : '-';
      }),
  );
  return facts.join('\n');
}

function stillChanging(path: string): HoldfastError {
  return new HoldfastError({
    code: 'source.unreachable',
    message: `${path} changed every time it was read`,
    cause: `${ATTEMPTS} attempts, each overtaken by a writer`,
    hint: 'it is tried again; a `before` hook can quiesce the application meanwhile',
  });
}
