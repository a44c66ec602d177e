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
import { scheduledRunsOf, type RunKind, type ScheduledRun } from '../domain/cadence/scheduled-runs.ts';
import type { Policy } from '../domain/configuration/types.ts';
import type { ScheduledInput } from '../workflows/messages.ts';
import { several } from './several.ts';

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
  run: ScheduledRun;
  pausedFor: string | null;
  /** Equal shapes are equal Schedules. */
  shape: string;
}

/** What `reconcile` would do. */
export function compareSchedules(
  policies: readonly Policy[],
  pauses: Pauses,
  known: KnownSchedules,
): ScheduleDifference {
  const wanted = wantedSchedules(policies, pauses);
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
  policies: readonly Policy[],
  pauses: Pauses,
  known: KnownSchedules,
): Promise<Reconciled> {
  const difference = compareSchedules(policies, pauses, known);
  const touched = new Set([...difference.added, ...difference.changed]);
  const wanted = wantedSchedules(policies, pauses).filter(({ run }) => touched.has(run.id));
  await several(wanted, (one) => put(client, taskQueue, one));
  await several(difference.removed, (id) => remove(client, id));
  return {
    ...difference,
    shapes: [
      ...wanted.map(({ run: { id, policy }, shape }) => ({ id, policy, shape })),
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

function wantedSchedules(policies: readonly Policy[], pauses: Pauses): WantedSchedule[] {
  return policies.flatMap((policy) =>
    scheduledRunsOf(policy).map((run) => {
      const pausedFor = pauses.get(policy.name)?.reason ?? null;
      return { run, pausedFor, shape: canonicalJson({ ...run, pausedFor }) };
    }),
  );
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
  const input: ScheduledInput = {
    policy: run.policy,
    trigger: 'schedule',
    actor: 'schedule',
    ...(run.repository !== undefined && { repository: run.repository }),
    ...(run.window !== null && { window: run.window }),
  };
  return {
    scheduleId: run.id,
    spec: specOf(run),
    action: {
      type: 'startWorkflow' as const,
      workflowType: WORKFLOWS[run.kind],
      workflowId: run.id,
      taskQueue,
      args: [input],
      memo: { shape },
    },
    policies: {
      overlap: run.overlap === 'skip' ? ScheduleOverlapPolicy.SKIP : ScheduleOverlapPolicy.BUFFER_ONE,
      catchupWindow: `${run.catchUpSeconds} s` as const,
    },
    state: { paused: pausedFor !== null, ...(pausedFor !== null && { note: pausedFor }) },
  };
}

const WORKFLOWS: Record<RunKind, string> = {
  backup: 'backup',
  sync: 'sync',
  retention: 'retention',
  verify: 'verifyCadence',
};

function specOf({ cadence, offsetSeconds, jitterSeconds }: ScheduledRun): ScheduleSpec {
  return {
    ...(cadence.kind === 'every'
      ? { intervals: [{ every: `${cadence.seconds} s`, offset: `${offsetSeconds} s` }] }
      : { cronExpressions: [cadence.expression] }),
    ...(jitterSeconds !== null && { jitter: `${jitterSeconds} s` }),
  };
}
