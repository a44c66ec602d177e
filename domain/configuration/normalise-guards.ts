// The limits of a repository as written → as used. A way out of this host is never unlimited unless somebody
// said so; a disk of ours is watched unless it has marks of its own.

import type { z } from 'zod';
import { isLocalRepository } from './repository-url.ts';
import type { headroom, limits } from './schema-guards.ts';
import type { Headroom, Limits } from './types.ts';

/** 50 MiB/s: under half of a line of 1 Gbit/s, so that a backup leaves room for what the line is for. */
const DEFAULT_UPLOAD = 50 * 1024 * 1024;
const DEFAULT_HIGH_PERCENT = 95;
const DEFAULT_LOW_PERCENT = 90;
/** A month: longer than anything asks again by itself. */
export const DEFAULT_IDEMPOTENCY_SECONDS = 30 * 86_400;

export function normaliseLimits(url: string, written: z.output<typeof limits> | undefined): Limits {
  const { upload, dailyUpload, dailyReset = 0 } = written ?? {};
  const byDefault = isLocalRepository(url) ? null : DEFAULT_UPLOAD;
  return {
    uploadBytesPerSecond: upload === 'unlimited' ? null : (upload ?? byDefault),
    dailyUpload: dailyUpload === undefined ? null : { bytes: dailyUpload, resetSeconds: dailyReset },
  };
}

/** null: nothing can be said, as the place has no size that is known. */
export function normaliseHeadroom(
  url: string,
  written: z.output<typeof headroom> | undefined,
): Headroom | null {
  if (!written && !isLocalRepository(url)) return null;
  const highPercent = written?.highWatermark ?? DEFAULT_HIGH_PERCENT;
  return {
    highPercent,
    lowPercent: written?.lowWatermark ?? Math.min(DEFAULT_LOW_PERCENT, Math.max(0, highPercent - 5)),
    capacityBytes: written?.capacity ?? null,
  };
}
