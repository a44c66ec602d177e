// A catalogue as years of backups leave it, written by the database itself: a policy with one asset each, its
// points two hours apart, every tenth proven, a copy of every tenth off-site, and a year of daily counts.

import type { Configuration } from '../domain/configuration/types.ts';

export interface Size {
  policies: number;
  points: number;
}

/** As the owner; triggers and foreign keys are off meanwhile, so the counts are written, too. */
export async function seedCatalogue(
  sql: (text: string) => Promise<unknown>,
  { policies, points }: Size,
  say: (words: string) => void = () => {},
): Promise<void> {
  const each = Math.ceil(points / policies);
  const tables: Record<string, string> = {
    jobs: `insert into jobs (id, workflow_id, type, policy, trigger, status, started_at, ended_at)
      select job, 'backup/' || policy || '-' || n, 'backup', policy, 'schedule',
             case when n % 100 = 50 then 'failed' else 'success' end, at, at + interval '40 s' from made`,
    job_assets: `insert into job_assets (job_id, asset, position, job_type, job_started_at, status, recovery_point_id, proof)
      select job, asset, 0, 'backup', at, case when n % 100 = 50 then 'failed' else 'success' end, point, proof from made`,
    recovery_points: `insert into recovery_points
        (id, asset, asset_type, policy, job_id, kind, taken_at, method, proof, bytes, added_bytes)
      select point, asset, 'directory', policy, job, 'regular', at, 'files', proof, 1073741824, 1048576 * (1 + n % 7)
        from made`,
    point_copies: `insert into point_copies
        (point_id, repository, artifact_id, parts, snapshot_ids, stored_at, verified_at, proven_at, damaged_at, proof)
      select point, repository, md5(point::text || repository),
             jsonb_build_array(jsonb_build_object('name', 'files', 'snapshotId', md5(point::text || repository), 'path', '/srv')),
             array[md5(point::text || repository)], at, at, case when proof = 'proven' then at end,
             case when proof = 'damaged' then at end, proof
        from made, unnest(array['local', 'offsite']) as copied (repository)
       where repository = 'local' or n % 10 = 0`,
    measured_durations: `insert into measured_durations (run, asset, step, seconds, bytes, ended_at)
      select job::text, asset, step, 30 + n % 11, 1073741824, at
        from made, unnest(array['store', 'rehearse']) as measured (step) where step = 'store' or n % 10 = 0`,
  };
  await sql('set session_replication_role = replica');
  await sql('set synchronous_commit = off');
  for (const [table, insert] of Object.entries(tables)) {
    say(`writing ${table}`);
    await sql(`with made as materialized (${MADE(policies, each)}) ${insert}`);
  }
  say('writing the counts');
  await sql(`insert into sync_state (asset, repository, point_id, taken_at, stored_at, proven_at)
    select distinct on (asset, repository) asset, repository, point_id, taken_at, stored_at, proven_at
      from point_copies join recovery_points on id = point_id order by asset, repository, taken_at desc`);
  await sql(`insert into asset_days (day, asset, policy, backups_succeeded, backups_failed, validations_succeeded,
      points, added_bytes, store_runs, store_milliseconds, rehearse_runs, rehearse_milliseconds)
    select current_date - ago, 'asset-' || p, 'policy-' || p, 12, (ago % 8 = 4)::integer, 1, 12, 40000000, 12,
           12 * 35000, 1, 35000
      from generate_series(0, 364) as ago, generate_series(1, ${policies}) as p`);
  await sql(`insert into repository_sizes (repository, day, at, stored_bytes, free_bytes)
    select repository, current_date - ago, now() - ago * interval '1 day', 1e12 - ago * 1e9, 1e12
      from generate_series(0, 364) as ago, unnest(array['local', 'offsite']) as known (repository)`);
  await sql('set session_replication_role = origin');
  say('vacuum and analyse');
  await sql('vacuum analyze');
}

export function seededConfiguration({ policies }: Size, like: Configuration): Configuration {
  const [asset] = like.assets;
  const [policy] = like.policies;
  if (!asset || !policy) throw new Error('the configuration to take after has no asset or no policy');
  const names = Array.from({ length: policies }, (_, index) => index + 1);
  return {
    ...like,
    assets: names.map((name) => ({ ...asset, name: `asset-${name}` })),
    policies: names.map((name) => ({
      ...policy,
      name: `policy-${name}`,
      assets: [`asset-${name}`],
      cadence: { kind: 'every', seconds: 7200 },
      objectives: { rpoSeconds: 14_400, rtoSeconds: 1800, provenWithinSeconds: 604_800, successRate: 0.9 },
    })),
  };
}

/** Each policy's points a second off the others', so that no two are of one moment. */
const MADE = (policies: number, each: number) => `
  select 'policy-' || p as policy, 'asset-' || p as asset, n,
         md5('job ' || p || ' ' || n)::uuid as job, md5('point ' || p || ' ' || n)::uuid as point,
         date_trunc('second', now()) - n * interval '2 hours' - p * interval '1 second' as at,
         case when n % 10 = 0 then 'proven' when n % 5000 = 4999 then 'damaged' else 'verified' end as proof
    from generate_series(1, ${policies}) as p, generate_series(1, ${each}) as n`;
