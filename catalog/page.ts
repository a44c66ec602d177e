// Lists are read newest first and paged by key, never by offset: what is inserted meanwhile neither repeats
// nor hides a row. A cursor is the key of the last row given out, opaque to whoever carries it.

import { HoldfastError } from '../domain/errors.ts';
import type { Page, PageRequest } from './catalog.ts';

type Key = (string | number)[];

export function limitOf(request: PageRequest): number {
  const limit = request.limit ?? 50;
  if (Number.isInteger(limit) && limit >= 1 && limit <= 500) return limit;
  throw new HoldfastError({
    code: 'usage',
    message: `a list cannot have ${limit} items`,
    cause: 'the limit is a whole number from 1 to 500',
    hint: 'ask for fewer, and go on with the `next` of the answer',
  });
}

/** `rows`: one more than `limit`, where there are more. */
export function pageOf<T>(rows: T[], limit: number, keyOf: (item: T) => Key): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next = rows.length > limit && last !== undefined ? write(keyOf(last)) : null;
  return { items, next };
}

/** The key in a cursor; null when there is none. */
export function positionOf(cursor: string | null | undefined, shape: ('string' | 'number')[]): Key | null {
  if (cursor === null || cursor === undefined) return null;
  const key = read(cursor);
  if (Array.isArray(key) && key.length === shape.length && key.every((part, i) => typeof part === shape[i])) {
    return key as Key;
  }
  throw new HoldfastError({
    code: 'usage',
    message: 'this cursor is not one of this list',
    cause: cursor.slice(0, 80),
    hint: 'pass on the `next` of the answer before unchanged, or leave it out to start from the newest',
  });
}

function write(key: Key): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function read(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
