// How a repository grows, and the day it will be full: a line through its measured sizes that a single outlier
// (a prune, one huge upload) does not bend, drawn on to its capacity. A forecast, and only from what was measured.

import { median } from './median.ts';
import { DAY_MILLISECONDS, forEachWindow, WINDOW_DAYS, type Windows } from './windows.ts';

/** One measurement; of each day the last is kept. */
export interface RepositorySize {
  at: string;
  storedBytes: number;
  /** Left on its file system; null where nobody can tell, as in a bucket. */
  freeBytes: number | null;
}

export interface RepositoryGrowth {
  measuredAt: string | null;
  storedBytes: number | null;
  freeBytes: number | null;
  /** As configured, else what is stored and what is free; null: unknown. */
  capacityBytes: number | null;
  /** How much more is stored than at the beginning of each window; null: it was not measured that long ago. */
  changes: Windows<number | null>;
  /** The slope of the line; null with fewer than three days measured. */
  bytesPerDay: number | null;
  /** null: it does not grow, will not be full within ten years, or nothing is known of it. */
  fillsAt: string | null;
}

const FEWEST_MEASUREMENTS = 3;
const FURTHEST_DAYS = 3650;

/** `sizes` oldest first; older ones than the longest window are left out of the line. */
export function repositoryGrowth(
  sizes: readonly RepositorySize[],
  configuredCapacity: number | null,
  now: Date,
): RepositoryGrowth {
  const last = sizes.at(-1);
  const storedBytes = last?.storedBytes ?? null;
  const freeBytes = last?.freeBytes ?? null;
  const capacityBytes =
    configuredCapacity ?? (last && last.freeBytes !== null ? last.storedBytes + last.freeBytes : null);
  const bytesPerDay = slopeOf(sizes.filter(({ at }) => daysBefore(at, now) <= WINDOW_DAYS.days90));
  return {
    measuredAt: last?.at ?? null,
    storedBytes,
    freeBytes,
    capacityBytes,
    changes: forEachWindow((window) => {
      const before = sizes.findLast(({ at }) => daysBefore(at, now) >= WINDOW_DAYS[window]);
      return before && last ? last.storedBytes - before.storedBytes : null;
    }),
    bytesPerDay,
    fillsAt: fillsAt(last, capacityBytes, bytesPerDay, now),
  };
}

function fillsAt(
  last: RepositorySize | undefined,
  capacity: number | null,
  bytesPerDay: number | null,
  now: Date,
): string | null {
  if (!last || capacity === null) return null;
  const left = capacity - last.storedBytes;
  if (left <= 0) return now.toISOString();
  if (bytesPerDay === null || bytesPerDay <= 0) return null;
  const days = left / bytesPerDay;
  if (days > FURTHEST_DAYS) return null;
  const at = Date.parse(last.at) + days * DAY_MILLISECONDS;
  return new Date(Math.max(at, now.getTime())).toISOString();
}

/** Theil and Sen: the median of the slopes between all pairs, so that up to a quarter of them may be odd. */
function slopeOf(sizes: readonly RepositorySize[]): number | null {
  if (sizes.length < FEWEST_MEASUREMENTS) return null;
  const points = sizes.map(({ at, storedBytes }) => ({
    x: Date.parse(at) / DAY_MILLISECONDS,
    y: storedBytes,
  }));
  const slopes = points.flatMap((later, index) =>
    points.slice(0, index).flatMap(({ x, y }) => (later.x === x ? [] : (later.y - y) / (later.x - x))),
  );
  return median(slopes);
}

function daysBefore(at: string, now: Date): number {
  return (now.getTime() - Date.parse(at)) / DAY_MILLISECONDS;
}
