// Policies → Temporal Schedules. What each Schedule was made from is in the catalogue, so that an unchanged
// configuration asks Temporal nothing; `drift` looks at the Schedules themselves.

import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleSpec,
} from '@temporalio/client';
import { canonicalJson } from '../domain/canonical-json.ts';
import {
  drillRunOf,
  scheduledRunsOf,
  type DrillRun,
  type RunKind,
  type ScheduledRun,
} from '../domain/cadence/scheduled-runs.ts';
import type { Configuration } from '../domain/configuration/types.ts';
import type { DrillInput, ScheduledInput } from '../workflows/messages.ts';
import { several } from './several.ts';

/** What of a configuration runs by itself. */
export type Scheduled = Pick<Configuration, 'policies' | 'drills'>;

/** Ids of Schedules. */
export interface ScheduleDifference {
  added: string[];
  changed: string[];
  removed: string[];
}

/** Why a policy's Schedules stand still; by policy. */
export type Pauses = ReadonlyMap<string, { reason: string }>;

/** By id: what the Schedule in Temporal was made from. */
export type KnownSchedules = ReadonlyMap<string, { policy: string; shape: string | null }>;

interface WantedSchedule {
  run: ScheduledRun | DrillRun;
  pausedFor: string | null;
  /** Equal shapes are equal Schedules. */
  shape: string;
}

/** What `reconcile` would do. */
export function compareSchedules(
  configured: Scheduled,
  pauses: Pauses,
  known: KnownSchedules,
): ScheduleDifference {
  const wanted = wantedSchedules(configured, pauses);
  return {
    added: wanted.filter(({ run }) => !known.has(run.id)).map(({ run }) => run.id),
    changed: wanted
      .filter(({ run, shape }) => known.has(run.id) && known.get(run.id)?.shape !== shape)
      .map(({ run }) => run.id),
    removed: [...known.keys()].filter((id) => !wanted.some(({ run }) => run.id === id)),
  };
}

export interface Reconciled extends ScheduleDifference {
  /** To be recorded as known, each as soon as it is so in Temporal. */
  shapes: { id: string; policy: string; shape: string | null }[];
}

/**
 * Makes the Schedules what the policies say, and deletes those that are known and no longer wanted. Stopped
 * half-way, the next call does the rest.
 */
export async function reconcileSchedules(
  client: Client,
  taskQueue: string,
  configured: Scheduled,
  pauses: Pauses,
  known: KnownSchedules,
): Promise<Reconciled> {
  const difference = compareSchedules(configured, pauses, known);
  const touched = new Set([...difference.added, ...difference.changed]);
  const wanted = wantedSchedules(configured, pauses).filter(({ run }) => touched.has(run.id));
  await several(wanted, (one) => put(client, taskQueue, one));
  await several(difference.removed, (id) => remove(client, id));
  return {
    ...difference,
    shapes: [
      ...wanted.map(({ run, shape }) => ({ id: run.id, policy: policyOf(run), shape })),
      ...difference.removed.map((id) => ({ id, policy: known.get(id)?.policy ?? '', shape: null })),
    ],
  };
}

/** The known Schedules that Temporal has not, or not as they were made: its database was lost, somebody edited it. */
export async function driftedSchedules(client: Client, known: KnownSchedules): Promise<string[]> {
  const drifted: string[] = [];
  await several([...known], async ([id, { shape }]) => {
    try {
      const { action } = await client.schedule.getHandle(id).describe();
      if (action.memo?.['shape'] !== shape) drifted.push(id);
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      drifted.push(id);
    }
  });
  return drifted;
}

function wantedSchedules(configured: Scheduled, pauses: Pauses): WantedSchedule[] {
  const runs = [
    ...configured.policies.flatMap(scheduledRunsOf),
    ...(configured.drills ?? []).flatMap((drill) => drillRunOf(drill) ?? []),
  ];
  return runs.map((run) => {
    const pausedFor = pauses.get(policyOf(run))?.reason ?? null;
    return { run, pausedFor, shape: canonicalJson({ ...run, pausedFor }) };
  });
}

/** A drill belongs to none, and no name of a policy is empty. */
function policyOf(run: ScheduledRun | DrillRun): string {
  return run.kind === 'drill' ? '' : run.policy;
}

/** Updated where it is there, so that its past stays; the shape travels with what it starts, a memo of its own is for good. */
async function put(client: Client, taskQueue: string, wanted: WantedSchedule): Promise<void> {
  const options = optionsFor(taskQueue, wanted);
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { scheduleId, ...update } = options;
    await client.schedule.getHandle(scheduleId).update(() => update);
  }
}

async function remove(client: Client, id: string): Promise<void> {
  try {
    await client.schedule.getHandle(id).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

function optionsFor(taskQueue: string, { run, pausedFor, shape }: WantedSchedule) {
  return {
    scheduleId: run.id,
    spec: specOf(run),
    action: {
      type: 'startWorkflow' as const,
      workflowType: WORKFLOWS[run.kind],
      workflowId: run.id,
      taskQueue,
      args: [inputOf(run)],
      memo: { shape },
    },
    policies: {
      overlap: run.overlap === 'skip' ? ScheduleOverlapPolicy.SKIP : ScheduleOverlapPolicy.BUFFER_ONE,
      catchupWindow: `${run.catchUpSeconds} s` as const,
    },
    state: { paused: pausedFor !== null, ...(pausedFor !== null && { note: pausedFor }) },
  };
}

function inputOf(run: ScheduledRun | DrillRun): ScheduledInput | DrillInput {
  const common = { trigger: 'schedule', actor: 'schedule' } as const;
  if (run.kind === 'drill') return { drill: run.drill, ...common };
  return {
    policy: run.policy,
    ...common,
    ...(run.repository !== undefined && { repository: run.repository }),
    ...(run.window !== null && { window: run.window }),
  };
}

const WORKFLOWS: Record<RunKind | 'drill', string> = {
  backup: 'backup',
  drill: 'drill',
  sync: 'sync',
  retention: 'retention',
  verify: 'verifyCadence',
};

function specOf({ cadence, offsetSeconds, jitterSeconds }: ScheduledRun | DrillRun): ScheduleSpec {
  return {
    ...(cadence.kind === 'every'
      ? { intervals: [{ every: `${cadence.seconds} s`, offset: `${offsetSeconds} s` }] }
      : { cronExpressions: [cadence.expression] }),
    ...(jitterSeconds !== null && { jitter: `${jitterSeconds} s` }),
  };
}
