import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleSpec,
} from '@temporalio/client';
import type { Policy } from '../domain/configuration/types.ts';
import type { BackupInput } from '../workflows/messages.ts';

export interface ScheduleDifference {
  added: string[];
  changed: string[];
  removed: string[];
}

/**
 * Makes each policy's Schedule what the configuration says, and deletes those of the policies that are gone.
 * `removed` comes from the catalogue: Temporal's own listing lags behind. Running it twice changes nothing.
 */
export async function reconcileSchedules(
  client: Client,
  taskQueue: string,
  policies: readonly Policy[],
  removed: readonly string[],
): Promise<ScheduleDifference> {
  const difference: ScheduleDifference = { added: [], changed: [], removed: [] };
  for (const policy of policies) {
    const outcome = await bringInLine(client, taskQueue, policy);
    if (outcome) difference[outcome].push(policy.name);
  }
  for (const name of removed) {
    if (await remove(client, name)) difference.removed.push(name);
  }
  return difference;
}

export function scheduleIdOf(policy: string): string {
  return `backup/${policy}`;
}

async function bringInLine(
  client: Client,
  taskQueue: string,
  policy: Policy,
): Promise<'added' | 'changed' | null> {
  const handle = client.schedule.getHandle(scheduleIdOf(policy.name));
  const wanted = optionsFor(taskQueue, policy);
  const shape = JSON.stringify(policy.cadence);
  try {
    const { memo } = await handle.describe();
    if (memo?.['cadence'] === shape) return null;
    await handle.delete();
    await client.schedule.create({ ...wanted, memo: { cadence: shape } });
    return 'changed';
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  await client.schedule.create({ ...wanted, memo: { cadence: shape } });
  return 'added';
}

async function remove(client: Client, policy: string): Promise<boolean> {
  try {
    await client.schedule.getHandle(scheduleIdOf(policy)).delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}

function optionsFor(taskQueue: string, policy: Policy) {
  const input: BackupInput = { policy: policy.name, trigger: 'schedule', actor: 'schedule' };
  return {
    scheduleId: scheduleIdOf(policy.name),
    spec: specOf(policy),
    action: {
      type: 'startWorkflow' as const,
      workflowType: 'backup',
      workflowId: `backup/${policy.name}`,
      taskQueue,
      args: [input],
    },
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      // Long enough that a restart of the machine loses no run, short enough that it does not repeat a day.
      catchupWindow: '10 min' as const,
    },
  };
}

function specOf(policy: Policy): ScheduleSpec {
  const { cadence } = policy;
  return cadence.kind === 'every'
    ? { intervals: [{ every: `${cadence.seconds} s` }] }
    : { cronExpressions: [cadence.expression] };
}
