// The runs that were due and never began. A Schedule makes up for an outage with one run, and skips those due
// while one is still going: whatever lies between two starts, but for the latest, was missed.

import { Cron } from 'croner';
import type { Cadence } from '../configuration/types.ts';

/** More are not told apart: that is a week at one a minute. */
const MOST_MISSED = 10_080;

/** Oldest first. Begun runs: one at `after`, and one at `startedAt` that stands for the latest due by then. */
export function missedBetween(cadence: Cadence, after: Date, startedAt: Date): Date[] {
  return dueBetween(cadence, after, startedAt).slice(0, -1);
}

/** Those due since the last run began, but for one that may just be beginning. */
export function missedSince(cadence: Cadence, after: Date, now: Date): Date[] {
  return dueBetween(cadence, after, new Date(now.getTime() - LATE_MILLISECONDS));
}

/** A run may begin late by its jitter, a busy worker or a restart before it counts as missed. */
const LATE_MILLISECONDS = 10 * 60_000;

/** After `from`, at or before `to`; the latest of them. */
function dueBetween(cadence: Cadence, from: Date, to: Date): Date[] {
  if (to <= from) return [];
  return cadence.kind === 'every'
    ? multiples(cadence.seconds * 1000, from, to)
    : crons(cadence.expression, from, to);
}

/** Temporal counts its intervals from 1970. */
function multiples(every: number, from: Date, to: Date): Date[] {
  const last = Math.floor(to.getTime() / every);
  const first = Math.max(Math.floor(from.getTime() / every) + 1, last - MOST_MISSED);
  return Array.from(
    { length: Math.max(0, last - first + 1) },
    (_, index) => new Date((first + index) * every),
  );
}

function crons(expression: string, from: Date, to: Date): Date[] {
  const cron = new Cron(expression, { timezone: 'UTC', domAndDow: true, paused: true });
  const due: Date[] = [];
  for (let at = cron.nextRun(from); at && at <= to && due.length <= MOST_MISSED; at = cron.nextRun(at))
    due.push(at);
  return due;
}
