// When a repository counts as full, and what it still takes then. Between its two marks it stays what it was, so
// that a repository at the edge does not change with every backup.

import { formatBytes } from '../bytes.ts';
import type { DataClass, Headroom } from '../configuration/types.ts';

export type Watermark = 'normal' | 'high';

export interface Room {
  usedBytes: number;
  capacityBytes: number;
}

/** `high` at or above the high mark, `normal` below the low one. */
export function decideWatermark(before: Watermark, room: Room, marks: Headroom): Watermark {
  const percent = usedPercent(room);
  if (percent >= marks.highPercent) return 'high';
  if (percent < marks.lowPercent) return 'normal';
  return before;
}

export function usedPercent({ usedBytes, capacityBytes }: Room): number {
  return capacityBytes > 0 ? (usedBytes / capacityBytes) * 100 : 100;
}

export type Admission = 'open' | 'fallback' | 'blocked';

/**
 * A full repository takes only what is small and matters most: a further point of a critical asset that has one
 * there already.
 */
export function admissionOf(state: Watermark, dataClass: DataClass, hasPointThere: boolean): Admission {
  if (state === 'normal') return 'open';
  return dataClass === 'critical' && hasPointThere ? 'fallback' : 'blocked';
}

/** `93 % used (465 GiB of 500 GiB)`. */
export function roomWords(room: Room): string {
  const percent = Math.floor(usedPercent(room));
  return `${percent} % used (${formatBytes(room.usedBytes)} of ${formatBytes(room.capacityBytes)})`;
}
