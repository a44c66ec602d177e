// What runs by itself for a policy, and when: the one description from which Temporal's Schedules are made, the
// next runs are shown, and a simulated year is played.

import { longestGap } from '../configuration/cadence.ts';
import type { Drill } from '../configuration/drill-types.ts';
import type { Policy, Retention, Timing } from '../configuration/types.ts';
import { travellingCopies } from '../copies/policy-copies.ts';
import type { DueTimes } from './next-run.ts';
import type { Window } from './window.ts';

export type RunKind = 'backup' | 'sync' | 'retention' | 'verify';

export interface ScheduledRun extends DueTimes {
  /** The Schedule's id, and the beginning of its workflows' ids: `backup/daily`. */
  id: string;
  kind: RunKind;
  policy: string;
  /** Up to this much later than due, differently each time; `null`: exactly when due. */
  jitterSeconds: number | null;
  /** A run missed for longer than this is not made up for. */
  catchUpSeconds: number;
  overlap: Timing['overlap'];
  /** Where the run may begin only then: it waits for its opening. */
  window: Window | null;
  /** Of a sync: where to. */
  repository?: string;
}

/** A drill's own: `drill/quarterly`. */
export interface DrillRun extends Omit<ScheduledRun, 'kind' | 'policy' | 'repository'> {
  kind: 'drill';
  drill: string;
}

/** null: it is held by hand only. Exactly when due, so that its evidence names the time an auditor expects. */
export function drillRunOf({ name, cadence }: Drill): DrillRun | null {
  if (cadence === null) return null;
  const id = `drill/${name}`;
  return {
    ...{ id, kind: 'drill', drill: name, cadence },
    offsetSeconds: cadence.kind === 'every' ? ownMoment(id) % cadence.seconds : 0,
    jitterSeconds: null,
    catchUpSeconds: onePeriod(cadence),
    overlap: 'skip',
    window: null,
  };
}

export function scheduledRunsOf(policy: Policy): ScheduledRun[] {
  return [backupOf(policy), ...syncsOf(policy), ...retentionOf(policy), ...verifyOf(policy)];
}

function backupOf({ name, cadence, timing }: Policy): ScheduledRun {
  return {
    id: `backup/${name}`,
    kind: 'backup',
    policy: name,
    cadence,
    offsetSeconds: 0,
    jitterSeconds: timing.jitterSeconds,
    catchUpSeconds: timing.catchUpSeconds ?? onePeriod(cadence),
    overlap: timing.overlap,
    window: null,
  };
}

/** One for each copy that travels by itself; what one missed the next one sends with its own. */
function syncsOf(policy: Policy): ScheduledRun[] {
  return travellingCopies(policy).map(({ repository, cadence }) => {
    const id = `sync/${policy.name}/${repository}`;
    return {
      id,
      kind: 'sync',
      policy: policy.name,
      repository,
      cadence,
      offsetSeconds: cadence.kind === 'every' ? ownMoment(id) % cadence.seconds : 0,
      jitterSeconds: null,
      catchUpSeconds: onePeriod(cadence),
      overlap: 'skip',
      window: null,
    };
  });
}

const DAY_SECONDS = 86_400;

/** Once a day, when the window opens; without one at a moment of the policy's own, so that not all run at once. */
function retentionOf({ name, timing: { window }, retention, copies }: Policy): ScheduledRun[] {
  const rules: (Retention | null)[] = [retention, ...copies.map((copy) => copy.retention)];
  if (rules.every((one) => one === null)) return [];
  return [
    {
      id: `retention/${name}`,
      kind: 'retention',
      policy: name,
      cadence: { kind: 'every', seconds: DAY_SECONDS },
      offsetSeconds: window?.fromSeconds ?? ownMoment(`retention/${name}`),
      jitterSeconds: null,
      catchUpSeconds: DAY_SECONDS,
      overlap: 'skip',
      window,
    },
  ];
}

function verifyOf({ name, timing: { window }, verification }: Policy): ScheduledRun[] {
  if (!verification) return [];
  const { cadence } = verification;
  const own = window?.fromSeconds ?? ownMoment(`verify/${name}`);
  return [
    {
      id: `verify/${name}`,
      kind: 'verify',
      policy: name,
      cadence,
      offsetSeconds: cadence.kind === 'every' ? own % cadence.seconds : 0,
      jitterSeconds: null,
      catchUpSeconds: onePeriod(cadence),
      overlap: 'skip',
      window,
    },
  ];
}

/**
 * Of what was missed while Temporal was away, one period back is exactly the newest run that was due: one is made
 * up for, not twenty.
 */
function onePeriod(cadence: Policy['cadence']): number {
  const seconds = cadence.kind === 'every' ? cadence.seconds : longestGap(cadence.expression);
  return Math.max(SHORTEST_CATCH_UP_SECONDS, seconds);
}

/** Temporal takes no shorter one. */
const SHORTEST_CATCH_UP_SECONDS = 10;

/** To the minute, and always the same: FNV-1a over the name. */
function ownMoment(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return (hash % (DAY_SECONDS / 60)) * 60;
}
