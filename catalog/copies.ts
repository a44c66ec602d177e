// How far the copies of the policies are, and how the last attempt at each asset ended.

import type { Policy } from '../domain/configuration/types.ts';
import { copyState, type AssetLag, type CopyState } from '../domain/copies/lag.ts';
import type { Failure } from '../domain/job.ts';
import type { Database } from './database.ts';
import { json } from './storable.ts';

export interface Copies {
  /** An older attempt that is noted late changes nothing. */
  noteAttempt(attempt: CopyAttempt): Promise<void>;
  /** One for each copy of each policy, in their order. */
  states(policies: readonly Policy[], now: Date): Promise<CopyState[]>;
}

export interface CopyAttempt {
  asset: string;
  repository: string;
  jobId: string;
  pointId: string;
  at: string;
  /** null: it arrived. */
  error: Failure | null;
}

/** A copy that is so far behind is not worth counting further. */
const COUNTED = 10_000;

export function copies(database: Database): Copies {
  return {
    noteAttempt: ({ asset, repository, jobId, pointId, at, error }) =>
      database.write(`noting the copy of ${asset} to ${repository}`, async ({ query }) => {
        await query(
          `insert into copy_attempts as kept (asset, repository, job_id, point_id, at, error)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (asset, repository) do update set
             job_id = excluded.job_id, point_id = excluded.point_id, at = excluded.at, error = excluded.error
           where excluded.at >= kept.at`,
          [asset, repository, jobId, pointId, at, json(error)],
        );
      }),

    states: (policies, now) =>
      database.read('reading how far the copies are', async (query) => {
        const wanted = policies.flatMap((policy) => policy.copies.map((copy) => ({ policy, copy })));
        const places = wanted.flatMap(({ policy, copy }) =>
          policy.assets.map((asset) => ({ asset, source: policy.repository, target: copy.repository })),
        );
        const rows = await query<AssetLag & { source: string; target: string }>(LAGS, [
          places.map(({ asset }) => asset),
          places.map(({ source }) => source),
          places.map(({ target }) => target),
          COUNTED,
        ]);
        const found = new Map(rows.map((row) => [keyOf(row.asset, row.source, row.target), row]));
        return wanted.map(({ policy, copy }) => {
          const assets = policy.assets.flatMap((asset): AssetLag[] => {
            const row = found.get(keyOf(asset, policy.repository, copy.repository));
            if (!row) return [];
            const { source: _, target: __, ...lag } = row;
            return [lag];
          });
          return copyState(policy, copy, assets, now);
        });
      }),
  };
}

function keyOf(...names: string[]): string {
  return names.join('/');
}

/** Points that are damaged, on their way out or taken out of there by a person are not waited for. */
const LAGS = `
  select given.asset, given.source, given.target, there.taken_at as "newestTakenAt",
         behind.points as "lagPoints", behind.since as "behindSince",
         case when tried.asset is not null then
           jsonb_build_object('at', to_char(tried.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
             'jobId', tried.job_id, 'error', tried.error) end as attempt
    from unnest($1::text[], $2::text[], $3::text[]) as given (asset, source, target)
    left join sync_state as there on there.asset = given.asset and there.repository = given.target
    left join copy_attempts as tried on tried.asset = given.asset and tried.repository = given.target
   cross join lateral (
     select count(*)::integer as points, min(stored_at) as since from (
       select stored_at from recovery_points
         join point_copies on point_id = recovery_points.id and repository = given.source
        where recovery_points.asset = given.asset and kind = 'regular' and removing_since is null
          and taken_at > coalesce(there.taken_at, '-infinity') and point_copies.proof <> 'damaged'
          and not exists (select from point_removals as removal
            where removal.point_id = recovery_points.id and given.target = any (removal.repositories))
        limit $4) as waiting) as behind`;
