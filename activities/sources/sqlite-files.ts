// An SQLite database is up to four files: itself and, while in use or after a crash, its -wal, -shm and
// -journal. What is committed may lie in any of the first two; a stale one beside another file mixes them.
import { open, readlink } from 'node:fs/promises';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import { lookAt } from '../hosts/filesystem.ts';

export const COMPANIONS = ['-wal', '-shm', '-journal'] as const;

export function filesOf(path: string): string[] {
  return [path, ...COMPANIONS.map((suffix) => path + suffix)];
}

export interface DatabaseFile {
  size: number;
  usesWal: boolean;
}

/** Throws what it is instead when it is not an SQLite database, or cannot be read. */
export async function inspectDatabase(path: string, name: string): Promise<DatabaseFile> {
  const fail = (
    code: 'source.missing' | 'source.unreadable' | 'source.invalid',
    cause: string,
    hint: string,
  ) => new HoldfastError({ code, message: `sqlite asset ${name} cannot be read: ${path}`, cause, hint });
  const stats = await lookAt(path).catch((thrown: unknown) => {
    throw fail(
      'source.unreadable',
      wordsOf(thrown),
      'give the account Holdfast runs as access to the folder',
    );
  });
  if (!stats)
    throw fail('source.missing', 'there is no such file', 'correct `path`, or mount what belongs there');
  if (stats.isSymbolicLink()) {
    const leads = await readlink(path);
    throw fail('source.invalid', `it is a symlink to ${leads}`, 'write the path of the database file itself');
  }
  if (!stats.isFile()) {
    const what = stats.isDirectory() ? 'a folder' : 'a device, socket or pipe';
    throw fail('source.invalid', `it is ${what}`, 'write the path of the database file itself');
  }
  const head = await readHead(path).catch((thrown: unknown) => {
    throw fail(
      'source.unreadable',
      wordsOf(thrown),
      'give the account Holdfast runs as read access to the file',
    );
  });
  if (head.length > 0 && !head.subarray(0, 16).equals(MAGIC)) {
    throw fail('source.invalid', `it is not an SQLite database: ${describe(head)}`, 'correct `path`');
  }
  return { size: Number(stats.size), usesWal: head[18] === 2 };
}

const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');

async function readHead(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(100), 0, 100, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function describe(head: Buffer): string {
  const known: [string, string][] = [
    ['1f8b', 'gzip data'],
    ['28b52ffd', 'zstd data'],
    ['504b0304', 'a zip archive'],
    ['7f454c46', 'a program'],
    ['377f0682', 'a write-ahead log of SQLite, not the database'],
    ['377f0683', 'a write-ahead log of SQLite, not the database'],
    ['d9d505f920a163d7', 'a rollback journal of SQLite, not the database'],
  ];
  const hex = head.toString('hex');
  const match = known.find(([magic]) => hex.startsWith(magic));
  if (match) return `it begins like ${match[1]}`;
  if (/^[\x20-\x7e\s]+$/.test(head.toString('latin1'))) {
    return `it begins with the text ${JSON.stringify(head.toString('latin1', 0, 40))}`;
  }
  return `it begins with the bytes ${hex.slice(0, 32)}; an encrypted database looks so`;
}
