// What stands at a path a person wants protected, and whether it can be. Synchronous: a prompt asks it at
// every Enter.

import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError, wordsOf } from '../domain/errors.ts';

export function detect(path: string): 'directory' | 'sqlite' {
  const stats = look(path);
  if (stats.isDirectory()) {
    if (existsSync(join(path, 'PG_VERSION'))) {
      throw refusal(
        'source.invalid',
        path,
        'it is the folder of a PostgreSQL server, and a copy of its files while it runs is no backup',
        "give the database's URL instead: --postgres-url-env NAME, or its question on a terminal",
      );
    }
    readable(path, constants.R_OK | constants.X_OK);
    return 'directory';
  }
  if (!stats.isFile()) {
    throw refusal('source.invalid', path, 'it is neither a directory nor a file', 'name one of the two');
  }
  readable(path, constants.R_OK);
  if (startOf(path) === 'SQLite format 3\0') return 'sqlite';
  throw refusal(
    'source.invalid',
    path,
    'it is a file that is no SQLite database',
    'name the directory it is in',
  );
}

/** What restic leaves at the top of a local repository. */
export function isRepository(path: string): boolean {
  return existsSync(join(path, 'config')) && existsSync(join(path, 'keys'));
}

/** Whether one broken disk would take both. Of a path that is not there yet, its nearest folder counts. */
export function onOneDisk(one: string, other: string): boolean {
  return deviceOf(one) === deviceOf(other);
}

function look(path: string) {
  try {
    return statSync(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw refusal(
      missing ? 'source.missing' : 'source.unreadable',
      path,
      missing ? 'there is nothing at this path' : wordsOf(error),
      missing ? 'check the path' : 'let this user enter the folders above it',
    );
  }
}

function readable(path: string, mode: number): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    throw refusal(
      'source.unreadable',
      path,
      wordsOf(error),
      'let this user read it, or run as a user that may',
    );
  }
}

function startOf(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(16);
    return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, 16, 0));
  } finally {
    closeSync(descriptor);
  }
}

function deviceOf(path: string): number {
  for (let at = path; ; at = join(at, '..')) {
    const stats = statSync(at, { throwIfNoEntry: false });
    if (stats) return stats.dev;
  }
}

function refusal(
  code: 'source.missing' | 'source.unreadable' | 'source.invalid',
  path: string,
  cause: string,
  hint: string,
): HoldfastError {
  return new HoldfastError({ code, message: `${JSON.stringify(path)} can't be protected`, cause, hint });
}
