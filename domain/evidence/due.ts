// Which drills were due and not held. Each due time is answered by the drill that names it, or by one of the same
// name begun before the next was due; what is still to come is no miss.

import type { Statement } from './statement.ts';

export interface DueDrill {
  /** By name. */
  drill: string;
  dueAt: string;
}

/** A drill that is due begins within this time, or it was not held. */
const GRACE_MILLISECONDS = 24 * 3600 * 1000;

export function duesNotHeld(
  due: readonly DueDrill[],
  statements: readonly Statement[],
  now: Date,
): DueDrill[] {
  return due.filter(({ drill, dueAt }) => {
    const at = Date.parse(dueAt);
    if (at + GRACE_MILLISECONDS > now.getTime()) return false;
    const later = due.filter((one) => one.drill === drill && Date.parse(one.dueAt) > at);
    const next = Math.min(Infinity, ...later.map((one) => Date.parse(one.dueAt)));
    return !statements.some(({ predicate: { record } }) => {
      if (record.drill.name !== drill) return false;
      if (record.drill.dueAt !== null) return Date.parse(record.drill.dueAt) === at;
      const began = Date.parse(record.startedAt);
      return began >= at && began < next;
    });
  });
}
