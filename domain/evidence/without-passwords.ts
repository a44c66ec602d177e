// The last line of law 5: whoever ran a command redacts its arguments, and whatever got past that in the form of
// a URL with a password is masked before it is signed for ever.

import type { DrillRecord } from './record.ts';

export function withoutPasswords(record: DrillRecord): DrillRecord {
  return masked(record) as DrillRecord;
}

function masked(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(PASSWORD, '$1***@');
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, masked(member)]));
}

/** `scheme://user:` and then what stands before the last @ of the address. */
const PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:)[^\s/]*@/gi;
