// Which groups of a repository to read now, so that every one is read within the stated period of its last
// reading. The bytes move between groups when a prune packs them anew; that a group's last reading bounds the age
// of everything in it holds all the same: a pack is as it was when its group was read, or was written later.

import type { ReadingCadence } from './reading-cadence.ts';

export interface ReadingFacts {
  repository: string;
  /** When the oldest point that is still there was stored; null: nothing is. */
  firstStoredAt: string | null;
  /** When its readings began; null: never yet. */
  readingSince: string | null;
  /** When the cycle under way began: a cycle is over when every group was read, and none was damaged, since. */
  cycleBeganAt: string | null;
  /** The last of each group, also of divisions into another number of groups. */
  readings: GroupReading[];
}

export interface GroupReading {
  groups: number;
  /** From 1. */
  group: number;
  /** When the reading began. */
  readAt: string;
  ok: boolean;
}

export interface ReadingPlan {
  repository: string;
  groups: number;
  withinSeconds: number;
  /** In the order they are to be read. */
  due: DueGroup[];
  /** Every byte was read, or written, since then; null: nothing is stored. */
  unreadSince: string | null;
}

export interface DueGroup {
  group: number;
  /** `late`: it is over its time already. `last`: it would be, should the next run fail. `share`: its turn. */
  reason: 'late' | 'last' | 'share' | 'damaged';
  unreadSince: string;
}

/**
 * The groups longest unread come first, as many as are needed for all to be read in time by runs that come as
 * announced, of which the next may fail. After an outage the rest is spread over the runs that are left.
 */
export function planReadings(cadence: ReadingCadence, facts: ReadingFacts, now: Date): ReadingPlan {
  const { repository, groups, withinSeconds } = cadence;
  const states = groupStates(groups, facts, now).toSorted(
    (one, other) =>
      one.countedFrom - other.countedFrom ||
      (one.readAt ?? 0) - (other.readAt ?? 0) ||
      one.group - other.group,
  );
  const all = { repository, groups, withinSeconds };
  const [oldest] = states.toSorted((one, other) => one.unreadSince - other.unreadSince);
  if (!oldest) return { ...all, due: [], unreadSince: null };
  const every = cadence.everySeconds * 1000;
  const waiting = states
    .filter(({ readAt, damaged }) => damaged || readAt === null || now.getTime() - readAt >= every / 2)
    .map((state) => ({ ...state, left: runsLeft(state, cadence, now) }));
  const count = Math.max(
    waiting.filter(({ left }) => left <= 0).length,
    shareNow(cadence, states, now),
    paceNow(cadence, waiting, states, now),
  );
  const due = waiting.filter(({ damaged }, index) => damaged || index < count);
  return {
    ...all,
    due: due.map(({ group, unreadSince, damaged, left }) => ({
      group,
      reason: reasonFor(now.getTime() - unreadSince > withinSeconds * 1000, damaged, left),
      unreadSince: new Date(unreadSince).toISOString(),
    })),
    unreadSince: new Date(oldest.unreadSince).toISOString(),
  };
}

/** All of them at once are one reading of the whole. */
export function readingsOf({ due, groups }: ReadingPlan): { group: number; groups: number }[] {
  if (due.length === groups) return [{ group: 1, groups: 1 }];
  return due.map(({ group }) => ({ group, groups }));
}

/**
 * The beginning of the cycle that is over: every group was read since, and its last reading found nothing. null:
 * it is under way.
 */
export function endedCycle(groups: number, facts: ReadingFacts, now: Date): string | null {
  const { cycleBeganAt } = facts;
  if (cycleBeganAt === null) return null;
  const whole = groupStates(groups, facts, now).every(
    ({ readAt, damaged }) => readAt !== null && !damaged && readAt >= Date.parse(cycleBeganAt),
  );
  return whole ? cycleBeganAt : null;
}

interface GroupState {
  group: number;
  /** null: never. Times in milliseconds. */
  readAt: number | null;
  damaged: boolean;
  unreadSince: number;
  /** What its time is counted from: of what lay there unread before the readings began, their beginning. */
  countedFrom: number;
}

function groupStates(groups: number, facts: ReadingFacts, now: Date): GroupState[] {
  if (facts.firstStoredAt === null) return [];
  // What is said to have happened after now was written by a clock that was wrong: nothing is known by it.
  const past = (time: string | null) => {
    const at = time === null ? Number.NaN : Date.parse(time);
    return at <= now.getTime() ? at : null;
  };
  const stored = past(facts.firstStoredAt) ?? now.getTime();
  const begun = Math.max(stored, past(facts.readingSince) ?? now.getTime());
  const known = facts.readings.flatMap((reading) => {
    const readAt = past(reading.readAt);
    return readAt === null ? [] : [{ ...reading, readAt }];
  });
  const own = new Map(known.filter((one) => one.groups === groups).map((one) => [one.group, [one]]));
  const others = wholeDivisions(groups, known);
  return Array.from({ length: groups }, (_, index) => {
    const group = index + 1;
    const [last] = [...(own.get(group) ?? []), ...others].toSorted((one, other) => other.readAt - one.readAt);
    const readAt = last?.readAt ?? null;
    return {
      group,
      readAt,
      damaged: last ? !last.ok : false,
      unreadSince: Math.max(stored, readAt ?? stored),
      countedFrom: Math.max(begun, readAt ?? begun),
    };
  });
}

interface KnownReading extends Omit<GroupReading, 'readAt'> {
  readAt: number;
}

/** What other divisions say of every group of this one: once all of theirs were read, everything was. */
function wholeDivisions(groups: number, known: KnownReading[]): { readAt: number; ok: boolean }[] {
  const divisions = new Set(known.map((one) => one.groups).filter((count) => count !== groups));
  return [...divisions].flatMap((count) => {
    const readings = known.filter((one) => one.groups === count);
    if (readings.length < count) return [];
    return [
      { readAt: Math.min(...readings.map(({ readAt }) => readAt)), ok: readings.every(({ ok }) => ok) },
    ];
  });
}

/** How many runs after this one can still read it in time, when one of them fails. */
function runsLeft({ countedFrom }: GroupState, cadence: ReadingCadence, now: Date): number {
  const left = countedFrom + cadence.withinSeconds * 1000 - now.getTime();
  return Math.max(0, Math.floor(left / (cadence.everySeconds * 1000)) - 1);
}

/** The policy's own share, once for each of its runs. */
function shareNow(cadence: ReadingCadence, states: readonly GroupState[], now: Date): number {
  if (cadence.shareEverySeconds === null) return 0;
  return runsSinceReading(states, cadence.shareEverySeconds, now) >= 0.5 ? 1 : 0;
}

/**
 * How many a run has to read for all to be in time: of any number of runs ahead, those groups that they have to
 * read, shared evenly. Less than one a run is one every few runs.
 */
function paceNow(
  cadence: ReadingCadence,
  waiting: readonly (GroupState & { left: number })[],
  states: readonly GroupState[],
  now: Date,
): number {
  const pace = Math.max(0, ...waiting.map(({ left }, index) => (index + 1) / (left + 1)));
  if (pace >= 1) return Math.ceil(pace);
  return pace > 0 && runsSinceReading(states, cadence.everySeconds, now) >= 1 / pace - 0.5 ? 1 : 0;
}

function runsSinceReading(states: readonly GroupState[], everySeconds: number, now: Date): number {
  const newest = Math.max(...states.map(({ readAt }) => readAt ?? Number.NEGATIVE_INFINITY));
  return (now.getTime() - newest) / (everySeconds * 1000);
}

function reasonFor(late: boolean, damaged: boolean, left: number): DueGroup['reason'] {
  if (damaged) return 'damaged';
  if (late) return 'late';
  return left <= 0 ? 'last' : 'share';
}
