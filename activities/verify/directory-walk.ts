import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import type { IsExcluded } from '../../domain/exclude-pattern.ts';
import { wordsOf } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import { stopIfCancelled } from './cancellation.ts';
import type { Entry, EntryType, TouchField } from './directory-entry.ts';
import { bufferOfRaw, joinRaw, rawOfText, type RawPath } from './raw-path.ts';

/** Entries of one folder looked at together; the whole of what is held beside the names of open folders. */
const LOOKED_AT_TOGETHER = 64;

export interface Found {
  path: RawPath;
  type: EntryType;
  stats: BigIntStats;
}

export interface WalkOptions {
  /** Gets absolute paths. */
  excluded?: IsExcluded;
  /** Sockets, which no engine can bring back. They are left out. */
  onSocket?: (path: RawPath) => void;
  /** What could not be looked at or into, in the system's words. It is left out, as restic leaves it out. */
  onUnreadable?: (path: RawPath, words: string) => void;
}

interface OpenFolder {
  path: RawPath;
  names: RawPath[];
  next: number;
  ready: Found[];
}

/**
 * Everything below `root` and the root itself, folders before what is in them, names in the order of their
 * bytes. Follows no symlink. Crosses mount points, as restic does. What vanishes meanwhile is left out.
 */
export async function* walk(
  root: string,
  options: WalkOptions,
  step: Pick<Step, 'signal'>,
): AsyncGenerator<Found> {
  const base = rawOfText(root);
  const start = await lstat(root, { bigint: true });
  const names = await readdir(root, { encoding: 'latin1' });
  yield { path: '', type: 'dir', stats: start };
  const open: OpenFolder[] = [{ path: '', names: names.sort(), next: 0, ready: [] }];
  for (let folder = open.at(-1); folder; folder = open.at(-1)) {
    if (folder.ready.length === 0) {
      stopIfCancelled(step);
      folder.ready = await lookAtNext(base, folder, options);
    }
    const found = folder.ready.shift();
    if (!found) {
      if (folder.next >= folder.names.length) open.pop();
      continue;
    }
    if (found.type !== 'dir') {
      yield found;
      continue;
    }
    const inside = await namesIn(base, found.path, options);
    if (inside === null) continue;
    yield found;
    open.push({ path: found.path, names: inside, next: 0, ready: [] });
  }
}

async function lookAtNext(base: RawPath, folder: OpenFolder, options: WalkOptions): Promise<Found[]> {
  const names = folder.names.slice(folder.next, folder.next + LOOKED_AT_TOGETHER);
  folder.next += names.length;
  const paths = names
    .map((name) => joinRaw(folder.path, name))
    .filter((path) => !options.excluded?.(joinRaw(base, path)));
  const looks = await Promise.all(paths.map((path) => lookAt(base, path, options)));
  return looks.filter((found) => found !== null);
}

async function lookAt(base: RawPath, path: RawPath, options: WalkOptions): Promise<Found | null> {
  try {
    const stats = await lstat(bufferOfRaw(joinRaw(base, path)), { bigint: true });
    const type = typeOf(stats);
    if (type !== null) return { path, type, stats };
    options.onSocket?.(path);
  } catch (thrown) {
    if (!isGone(thrown)) options.onUnreadable?.(path, wordsOf(thrown));
  }
  return null;
}

async function namesIn(base: RawPath, path: RawPath, options: WalkOptions): Promise<RawPath[] | null> {
  try {
    // Without `withFileTypes`: one string a name, and its bytes exactly.
    return (await readdir(bufferOfRaw(joinRaw(base, path)), { encoding: 'latin1' })).sort();
  } catch (thrown) {
    if (!isGone(thrown)) options.onUnreadable?.(path, wordsOf(thrown));
    return null;
  }
}

export function typeOf(stats: BigIntStats): EntryType | null {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'dir';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isCharacterDevice()) return 'chardev';
  return stats.isBlockDevice() ? 'dev' : null;
}

export function isGone(thrown: unknown): boolean {
  const code = (thrown as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What a second look compares. */
export function touchOf({ type, stats }: Found): Pick<Entry, TouchField> {
  return {
    type,
    ino: String(stats.ino),
    size: type === 'file' ? Number(stats.size) : 0,
    mtime: String(stats.mtimeNs),
    ctime: String(stats.ctimeNs),
  };
}
