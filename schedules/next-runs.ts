import { ScheduleNotFoundError, type Client } from '@temporalio/client';
import { scheduleIdOf } from './reconcile.ts';

/** When each policy runs next, RFC 3339; a policy without a Schedule, or a paused one, is left out. */
export async function nextRuns(client: Client, policies: readonly string[]): Promise<Map<string, string>> {
  const runs = new Map<string, string>();
  await Promise.all(
    policies.map(async (policy) => {
      try {
        const { info } = await client.schedule.getHandle(scheduleIdOf(policy)).describe();
        const next = info.nextActionTimes[0];
        if (next) runs.set(policy, next.toISOString());
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      }
    }),
  );
  return runs;
}
