// Missed runs, counted once and for good when the next scheduled run of the policy begins: in that transaction,
// and only in the one that puts the job there. Until then they are worked out whenever somebody asks.

import type { Cadence } from '../domain/configuration/types.ts';
import { missedBetween, missedSince } from '../domain/objectives/missed-runs.ts';
import { dayOf } from '../domain/objectives/windows.ts';
import type { NewJob } from './catalog.ts';
import type { Query } from './connection.ts';

export async function countMissedRuns(query: Query, job: NewJob): Promise<void> {
  if (job.type !== 'backup' || job.trigger !== 'schedule' || job.policy === null) return;
  const [counted] = await query<{ after: string; cadence: Cadence | null }>(
    `select ${countedUntil('id <> $2')} as after, definition -> 'cadence' as cadence
       from policies where is_current and name = $1`,
    [job.policy, job.id],
  );
  if (!counted?.cadence) return;
  const missed = missedBetween(counted.cadence, new Date(counted.after), new Date(job.startedAt));
  await count(query, job.policy, job.assets, missed);
}

/** What was missed before a pause is missed for good: afterwards, counting begins with the resumption. */
export async function countMissedUntil(query: Query, policy: string, at: string): Promise<void> {
  const [counted] = await query<{ after: string; cadence: Cadence | null; assets: string[] }>(
    `select ${countedUntil('true')} as after, definition -> 'cadence' as cadence, assets
       from policies where is_current and name = $1`,
    [policy],
  );
  if (!counted?.cadence) return;
  const missed = missedSince(counted.cadence, null, new Date(counted.after), new Date(at));
  await count(query, policy, counted.assets, missed);
}

async function count(query: Query, policy: string, assets: string[], missed: Date[]): Promise<void> {
  const days = new Map<string, number>();
  for (const at of missed) days.set(dayOf(at), (days.get(dayOf(at)) ?? 0) + 1);
  for (const [day, times] of days) {
    await query(
      `select count_in_asset_day(asset, $2, $3::date, missed => $4::integer)
         from unnest($1::text[]) as given (asset) order by asset`,
      [assets, policy, day, times],
    );
  }
}

export async function lastScheduledStarts(query: Query): Promise<Map<string, string>> {
  const rows = await query<{ name: string; after: string }>(
    `select name, ${countedUntil('true')} as after from policies where is_current`,
  );
  return new Map(rows.map(({ name, after }) => [name, after]));
}

/**
 * What was due before the policy became what it is now cannot be told from its cadence of today, and what was due
 * while it was paused was not to run.
 */
function countedUntil(condition: string): string {
  return `greatest(since, (
    select max(resumed_at) from policy_pauses where policy_pauses.policy = policies.name), (
    select max(started_at) from jobs
     where type = 'backup' and trigger = 'schedule' and jobs.policy = policies.name and ${condition}))`;
}
