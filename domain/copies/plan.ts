// Which points of an asset still have to travel to a copy: those that its retention would keep if they were
// there. What it would drop at once is not worth the way.

import type { Retention } from '../configuration/types.ts';
import { planRetention, type RetainedPoint } from '../retention/plan.ts';

export interface CopyRequest {
  /** The asset's points where they come from. */
  from: readonly RetainedPoint[];
  /** The asset's points in the copy. What is damaged there is sent again. */
  to: readonly RetainedPoint[];
  /** Points that a person has taken out of the copy. */
  unwanted?: ReadonlySet<string>;
  /** The copy's retention; null: nothing was said, and everything travels. */
  rules: Retention | null;
  now: Date;
}

/** Ids, newest first: the one that is missed most goes first. */
export function pointsToCopy({ from, to, unwanted, rules, now }: CopyRequest): string[] {
  const whole = to.filter(({ damaged }) => !damaged);
  const there = new Set(whole.map(({ id }) => id));
  const missing = from.filter(
    (point) => !there.has(point.id) && !unwanted?.has(point.id) && mayTravel(point),
  );
  const arriving = new Set(missing.map(({ id }) => id));
  // Without a lock: that a store would not let go of a point again is no reason to send it there.
  const arrived = [...to.filter(({ id }) => !arriving.has(id)), ...missing.map(unread)];
  const plan = planRetention({ points: arrived, rules, immutableDays: null, now });
  return plan
    .filter(({ decision, recoveryPointId }) => decision === 'keep' && arriving.has(recoveryPointId))
    .map(({ recoveryPointId }) => recoveryPointId);
}

/** Safety points are the way back from a restore that goes on here; what is damaged would arrive damaged. */
function mayTravel({ kind, damaged, removing }: RetainedPoint): boolean {
  return kind === 'regular' && !damaged && !removing;
}

/** The proof of a copy is not that of another. */
function unread(point: RetainedPoint): RetainedPoint {
  return { ...point, verifiedAt: null, provenAt: null };
}
