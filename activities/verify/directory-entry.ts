// One entry of a directory tree as a line of its manifest. The line without its last two words is what the
// digest covers; those two (inode and ctime) only say whether a file was touched since.
import { decodeRaw, encodeRaw, type RawPath } from './raw-path.ts';

export type EntryType = 'file' | 'dir' | 'symlink' | 'fifo' | 'chardev' | 'dev';

export interface Entry {
  path: RawPath;
  type: EntryType;
  mode: number;
  uid: number;
  gid: number;
  /** Nanoseconds since 1970. */
  mtime: string;
  /** Of files; of anything else 0. */
  size: number;
  /** Files: SHA-256. Symlinks: the target, encoded. Devices: their number. Else `-`. */
  content: string;
  /**
   * Of a file that shares its inode: the first path of that inode in the walk. Null on that first one. The
   * content of the others is `-`. restic keeps hard links between files only, never between other types.
   */
  link: RawPath | null;
  /** SHA-256 over names and values, or `-`. Those anybody may restore, and those only root can. */
  xattrs: string;
  privilegedXattrs: string;
  ino: string;
  ctime: string;
}

export function lineOf(entry: Entry): string {
  return `${coveredPart(entry)} ${entry.ino} ${entry.ctime}`;
}

/** What the digest is taken over. */
export function coveredPart(entry: Entry): string {
  const { type, uid, gid, mtime, size, content, xattrs, privilegedXattrs } = entry;
  const path = entry.path === '' ? '.' : encodeRaw(entry.path);
  const link = entry.link === null ? '-' : encodeRaw(entry.link);
  return `${path} ${type} ${entry.mode.toString(8)} ${uid} ${gid} ${mtime} ${size} ${content} ${link} ${xattrs} ${privilegedXattrs}`;
}

/**
 * What somebody who is not root can bring back: no owners, hence no set-id bits, and no extended attributes
 * of the system's own name spaces.
 */
export function unprivilegedPart(entry: Entry): string {
  return coveredPart({ ...entry, uid: 0, gid: 0, mode: entry.mode & 0o1777, privilegedXattrs: '-' });
}

export function entryOf(line: string): Entry {
  const [path, type, mode, uid, gid, mtime, size, content, link, xattrs, privilegedXattrs, ino, ctime] =
    line.split(' ');
  if (path === undefined || ctime === undefined) throw new Error(`not a line of a manifest: ${line}`);
  return {
    path: path === '.' ? '' : decodeRaw(path),
    type: type as EntryType,
    mode: parseInt(mode ?? '', 8),
    uid: Number(uid),
    gid: Number(gid),
    mtime: mtime ?? '',
    size: Number(size),
    content: content ?? '',
    link: link === undefined || link === '-' ? null : decodeRaw(link),
    xattrs: xattrs ?? '-',
    privilegedXattrs: privilegedXattrs ?? '-',
    ino: ino ?? '',
    ctime,
  };
}

/** Nothing has touched it since: neither content nor metadata, as far as the file system tells. */
export function isUntouched(before: Pick<Entry, TouchField>, now: Pick<Entry, TouchField>): boolean {
  return (
    before.type === now.type &&
    before.ino === now.ino &&
    before.size === now.size &&
    before.mtime === now.mtime &&
    before.ctime === now.ctime
  );
}

export type TouchField = 'type' | 'ino' | 'size' | 'mtime' | 'ctime';
