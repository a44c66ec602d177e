// Jobs and points are named by UUIDs, and people give the beginning of one, as with commits.

import { HoldfastError, type FailureCode } from '../domain/errors.ts';

export interface PrefixRange {
  from: string;
  to: string;
}

/** The UUIDs that begin so, as the ends of a range an index can answer; null: no beginning of a UUID. */
export function rangeOfPrefix(reference: string): PrefixRange | null {
  const digits = reference.toLowerCase().replaceAll('-', '');
  if (!/^[0-9a-f]{4,32}$/.test(digits)) return null;
  return { from: uuid(digits.padEnd(32, '0')), to: uuid(digits.padEnd(32, 'f')) };
}

/** How many to read: enough to list when the beginning fits several. */
export const CANDIDATES = 6;

/** The one that was meant. */
export function onlyOne(
  ids: readonly string[],
  noun: string,
  reference: string,
  unknown: FailureCode,
  list: string,
): string {
  const [id] = ids;
  if (id === undefined) {
    throw new HoldfastError({
      code: unknown,
      message: `there is no ${noun} ${reference}`,
      cause: 'the catalogue has none with this id, and none whose id begins so',
      hint: `\`${list}\` shows what there is`,
    });
  }
  if (ids.length === 1) return id;
  const shown = ids.slice(0, CANDIDATES - 1).join(', ') + (ids.length >= CANDIDATES ? ', …' : '');
  throw new HoldfastError({
    code: 'usage',
    message: `${reference} is the beginning of more than one ${noun}`,
    cause: shown,
    hint: 'give more of the id',
  });
}

function uuid(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
