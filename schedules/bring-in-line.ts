import type { Client } from '@temporalio/client';
import {
  driftedSchedules,
  reconcileSchedules,
  type KnownSchedules,
  type Pauses,
  type Scheduled,
  type ScheduleDifference,
} from './reconcile.ts';

/** The catalogue's record of the Schedules; a type of its own, because this room may not know the catalogue. */
export interface ScheduleRecords {
  schedules: {
    list(): Promise<KnownSchedules>;
    record(
      schedules: readonly { id: string; policy: string; shape: string | null }[],
      mended?: readonly string[],
    ): Promise<void>;
  };
  policyPauses: { open(): Promise<Pauses> };
}

/**
 * After an `apply`, a pause or a resume. What was done and not recorded is done again by the next call. `removed`:
 * policies that left, whose backups may be scheduled by a version that kept no records.
 */
export async function bringSchedulesInLine(
  client: Client,
  taskQueue: string,
  configured: Scheduled,
  records: ScheduleRecords,
  removed: readonly string[] = [],
): Promise<ScheduleDifference> {
  const [pauses, recorded] = await Promise.all([records.policyPauses.open(), records.schedules.list()]);
  const left = removed.map((policy) => [`backup/${policy}`, { policy, shape: null }] as const);
  const known = new Map([...left, ...recorded]);
  const { shapes, ...difference } = await reconcileSchedules(client, taskQueue, configured, pauses, known);
  await records.schedules.record(shapes);
  return difference;
}

/** Makes anew what Temporal lost or somebody changed there. Returns the ids. */
export async function mendSchedules(
  client: Client,
  taskQueue: string,
  configured: Scheduled,
  records: ScheduleRecords,
): Promise<string[]> {
  const [pauses, known] = await Promise.all([records.policyPauses.open(), records.schedules.list()]);
  const drifted = new Set(await driftedSchedules(client, known));
  const left = new Map([...known].filter(([id]) => !drifted.has(id)));
  const { shapes } = await reconcileSchedules(client, taskQueue, configured, pauses, left);
  await records.schedules.record(shapes, [...drifted]);
  return [...drifted];
}
