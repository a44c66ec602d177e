import { createHash } from 'node:crypto';

/** A UUID made of two names, the same whenever it is asked for: what was lost and is done again keeps its id. */
export function derivedId(first: string, second: string): string {
  const hex = createHash('sha256').update(`${first}\0${second}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
