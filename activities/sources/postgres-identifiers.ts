// Names and texts as SQL spells them, and the names of the databases a restore works with.

import { createHash } from 'node:crypto';

export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quotedText(text: string): string {
  const body = text.replaceAll("'", "''");
  return body.includes('\\') ? `E'${body.replaceAll('\\', '\\\\')}'` : `'${body}'`;
}

/** PostgreSQL cuts a longer name silently, which would make two names one. */
export const NAME_BYTES = 63;

/** A type, not an interface: so its values are known to be texts. */
export type SwapNames = {
  target: string;
  /** What is restored, until it takes the target's name. */
  incoming: string;
  /** What was there, until the restore is settled. */
  previous: string;
};

/** The same restore always gets the same names, which is how a rerun finds its own work. */
export function swapNames(target: string, restoreId: string): SwapNames {
  return {
    target,
    incoming: derived(target, `_holdfast_${restoreId}_new`),
    previous: derived(target, `_holdfast_${restoreId}_old`),
  };
}

function derived(target: string, suffix: string): string {
  const room = NAME_BYTES - Buffer.byteLength(suffix);
  if (Buffer.byteLength(target) <= room) return target + suffix;
  const digest = createHash('sha256').update(target).digest('hex').slice(0, 8);
  if (room < digest.length) {
    const whole = createHash('sha256')
      .update(target + suffix)
      .digest('hex')
      .slice(0, 32);
    return `holdfast_${whole}${suffix.slice(-4)}`;
  }
  return `${firstBytes(target, room - digest.length - 1)}${room > digest.length ? '_' : ''}${digest}${suffix}`;
}

/** As many whole characters as fit. */
function firstBytes(text: string, bytes: number): string {
  let result = '';
  for (const character of text) {
    if (Buffer.byteLength(result + character) > bytes) break;
    result += character;
  }
  return result;
}
