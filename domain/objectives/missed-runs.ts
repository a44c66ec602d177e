// The runs that were due and never began. A Schedule makes up for an outage with one run, and skips those due
// while one is still going: whatever lies between two starts, but for the latest, was missed.

import { dueBetween } from '../cadence/due-between.ts';
import type { Cadence } from '../configuration/types.ts';

/** Oldest first. Begun runs: one at `after`, and one at `startedAt` that stands for the latest due by then. */
export function missedBetween(cadence: Cadence, after: Date, startedAt: Date): Date[] {
  return dueBetween({ cadence, offsetSeconds: 0 }, after, startedAt).slice(0, -1);
}

/** Those due since the last run began, but for one that may just be beginning. */
export function missedSince(cadence: Cadence, jitterSeconds: number | null, after: Date, now: Date): Date[] {
  const late = LATE_MILLISECONDS + (jitterSeconds ?? 0) * 1000;
  return dueBetween({ cadence, offsetSeconds: 0 }, after, new Date(now.getTime() - late));
}

/** A run may begin late by a busy worker or a restart, and by its jitter, before it counts as missed. */
const LATE_MILLISECONDS = 10 * 60_000;
