// What goes and what stays of one asset's points in one repository, each with the reasons (law 4). A point stays
// for any one reason; it goes only when there is none. Nothing is deleted here.

import type { Retention } from '../configuration/types.ts';
import type { PointKind } from '../recovery-point.ts';
import { immutableUntil } from './immutability.ts';
import { keptByRules, newestFirst, writeRetention } from './rules.ts';

/** A recovery point, and what is known of its copy in this repository. Times are RFC 3339. */
export interface RetainedPoint {
  id: string;
  kind: PointKind;
  takenAt: string;
  /** None if left out. */
  tags?: readonly string[];
  /** When this copy was written: objects are locked from then on, be the point ever so old. */
  storedAt: string;
  verifiedAt: string | null;
  provenAt: string | null;
  /** This copy cannot be restored whole. */
  damaged: boolean;
  /** Something of its source could not be read. */
  partial?: boolean;
  /** A person is taking it away: it is theirs to finish, and counts for nothing. */
  removing?: boolean;
  /** Open restores and drills, people: whoever said that it has to stay. */
  held: readonly { owner: string; reason: string }[];
  /** Of safety and system points: from when on they may go. null: only by a person's word. */
  expiresAt: string | null;
}

export interface RetentionRequest {
  /** All points of one asset that have a copy in one repository. */
  points: readonly RetainedPoint[];
  /** null: nothing was said. */
  rules: Retention | null;
  /** A copy younger than this cannot, or must not, be deleted. */
  immutableDays: number | null;
  now: Date;
}

export interface Decision {
  recoveryPointId: string;
  takenAt: string;
  decision: 'keep' | 'drop';
  reasons: string[];
}

/** Newest first. */
export function planRetention(request: RetentionRequest): Decision[] {
  const points = newestFirst(request.points);
  const reasons = [
    byTheRules(points, request),
    byProof(points),
    byCondition(points, request.now),
    byHold(points),
    byImmutability(points, request),
  ];
  return points.map((point): Decision => {
    const toKeep = reasons.flatMap((found) => found.get(point.id) ?? []);
    const { id: recoveryPointId, takenAt } = point;
    return toKeep.length > 0
      ? { recoveryPointId, takenAt, decision: 'keep', reasons: toKeep }
      : { recoveryPointId, takenAt, decision: 'drop', reasons: [whyItGoes(point, request.rules)] };
  });
}

type Reasons = ReadonlyMap<string, readonly string[]>;

/**
 * What cannot be restored must not push out what can: damaged points and those that go are not counted, and the rules are asked
 * once more as if the partial ones were not there.
 */
function byTheRules(points: readonly RetainedPoint[], { rules, now }: RetentionRequest): Reasons {
  if (keepsEverything(rules)) return reasonFor(points, () => 'nothing was said, so nothing is dropped');
  const regular = points.filter(isRegular).filter(isWhole);
  const complete = regular.filter(isComplete);
  const kept = keptByRules(regular, rules, now);
  if (complete.length === regular.length) return kept;
  return new Map([...keptByRules(complete, rules, now), ...kept]);
}

/** Rules without a number in them would drop everything; nobody who means that says it like this. */
function keepsEverything(rules: Retention | null): rules is null {
  return rules === null || writeRetention(rules) === '';
}

/** The last resort, of the regular points and of all: a safety point may be the only one ever proven. */
function byProof(points: readonly RetainedPoint[]): Reasons {
  const whole = points.filter(isWhole);
  const best = [bestOf(whole.filter(isRegular)), bestOf(whole)].flatMap((found) => found ?? []);
  return new Map(best.map(({ id, reason }) => [id, [reason]]));
}

function bestOf(points: readonly RetainedPoint[]): { id: string; reason: string } | null {
  const proven = points.find(({ provenAt }) => provenAt !== null);
  if (proven) return { id: proven.id, reason: 'the newest proven point' };
  const verified = points.find(({ verifiedAt }) => verifiedAt !== null);
  if (verified) return { id: verified.id, reason: 'the newest verified point, none being proven' };
  const stored = points.find(isComplete) ?? points[0];
  return stored ? { id: stored.id, reason: 'the newest stored point, none being verified' } : null;
}

function byCondition(points: readonly RetainedPoint[], now: Date): Reasons {
  return reasonFor(points, (point) => {
    if (point.removing) return 'it is being removed by a person';
    if (point.damaged) return "damaged: goes only by a person's word";
    if (isRegular(point)) return null;
    if (point.expiresAt === null) return `${point.kind} point: goes only by a person's word`;
    return isBefore(now, point.expiresAt) ? `${point.kind} point: kept until ${point.expiresAt}` : null;
  });
}

function byHold(points: readonly RetainedPoint[]): Reasons {
  return new Map(
    points.map(({ id, held }) => [id, held.map(({ owner, reason }) => `held by ${owner}: ${reason}`)]),
  );
}

function byImmutability(points: readonly RetainedPoint[], { immutableDays, now }: RetentionRequest): Reasons {
  if (immutableDays === null) return new Map();
  return reasonFor(points, ({ takenAt, storedAt }) => {
    const until = immutableUntil(takenAt, storedAt, immutableDays);
    return isBefore(now, until) ? `immutable until ${until}` : null;
  });
}

function whyItGoes(point: RetainedPoint, rules: Retention | null): string {
  if (!isRegular(point)) return `${point.kind} point: it was to be kept until ${point.expiresAt}`;
  return `no rule keeps it (${rules ? writeRetention(rules) : ''})`;
}

function isRegular({ kind }: RetainedPoint): boolean {
  return kind === 'regular';
}

function isComplete({ partial }: RetainedPoint): boolean {
  return partial !== true;
}

function isWhole({ damaged, removing }: RetainedPoint): boolean {
  return !damaged && !removing;
}

/** Throws, through `toISOString`, at a text that is no time. */
function isBefore(now: Date, time: string): boolean {
  return now.toISOString() < new Date(time).toISOString();
}

function reasonFor(
  points: readonly RetainedPoint[],
  reasonOf: (point: RetainedPoint) => string | null,
): Reasons {
  return new Map(
    points.map((point) => {
      const reason = reasonOf(point);
      return [point.id, reason === null ? [] : [reason]];
    }),
  );
}
