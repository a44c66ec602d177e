// When a run comes due. Temporal's Schedules are made from the same description (schedules/reconcile.ts), and a
// test holds the two against each other.

import { Cron } from 'croner';
import type { Cadence } from '../configuration/types.ts';

/** `every`: moments that lie `offsetSeconds` after a multiple of the interval since 1970. */
export interface DueTimes {
  cadence: Cadence;
  /** 0 with a cron expression. */
  offsetSeconds: number;
}

/** The first moment after this one; never this one itself. */
export function nextRun({ cadence, offsetSeconds }: DueTimes, after: Date): Date {
  if (cadence.kind === 'cron') {
    const next = new Cron(cadence.expression, CRON_OPTIONS).nextRun(after);
    if (next === null) throw new Error(`${cadence.expression} never comes due`);
    return next;
  }
  const seconds = Math.floor(after.getTime() / 1000) - offsetSeconds;
  const due = (Math.floor(seconds / cadence.seconds) + 1) * cadence.seconds + offsetSeconds;
  return new Date(due * 1000);
}

/** As Temporal reads cron: UTC, and both days must fit where both are given. */
export const CRON_OPTIONS = { timezone: 'UTC', domAndDow: true, paused: true } as const;
