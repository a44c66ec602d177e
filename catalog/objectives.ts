// What objectives are judged by: the counts of each day, the runs that were missed, and the measured sizes of
// repositories.

import { dayOf } from '../domain/objectives/windows.ts';
import type { RepositorySize } from '../domain/objectives/repository-growth.ts';
import type { JobStatus, JobType } from '../domain/job.ts';
import { assetFigures, type AssetFigures } from './asset-figures.ts';
import type { Fence } from './catalog.ts';
import type { Database } from './database.ts';
import { holdFence } from './fence.ts';
import { lastScheduledStarts } from './missed-runs.ts';

export interface Objectives {
  /** One for each asset and policy that anything was counted of in the last 90 days, in no order. */
  assetFigures(now: Date): Promise<AssetFigures[]>;
  /** For each current policy, the moment after which due runs that did not begin have not been counted yet. */
  countedUntil(): Promise<Map<string, string>>;
  /** Of jobs that are open or began since then. */
  jobCounts(since: Date): Promise<{ type: JobType; status: JobStatus; count: number }[]>;
  /** Whether the asset was restored in a sandbox in this job and found right; said again, the last word counts. */
  recordRehearsal(fence: Fence, ok: boolean): Promise<void>;
  /** By (repository, UTC day): the last of a day is kept. */
  recordSize(repository: string, size: RepositorySize): Promise<void>;
  /** null: it was never measured. */
  lastSize(repository: string): Promise<RepositorySize | null>;
  /** Of every repository that was measured, oldest first, as far back as `since`. */
  sizes(since: Date): Promise<Map<string, RepositorySize[]>>;
}

export function objectives(database: Database): Objectives {
  return {
    assetFigures: (now) =>
      database.read('counting the runs of the last 90 days', (query) => assetFigures(query, now)),

    countedUntil: () => database.read('looking for missed runs', lastScheduledStarts),

    jobCounts: (since) =>
      database.read('counting jobs', (query) =>
        // Two parts, so that each asks its own index.
        query(
          `select type, status, count(*) from (
             select type, status from jobs where started_at >= $1
             union all
             select type, status from jobs where started_at < $1 and status in ('running', 'waiting')) as counted
            group by type, status order by type, status`,
          [since.toISOString()],
        ),
      ),

    recordRehearsal: (fence, ok) =>
      database.write(`recording the rehearsal of ${fence.asset}`, async ({ query }) => {
        await holdFence(query, fence);
        await query(
          `update job_assets set rehearsed = $3
            where job_id = $1 and asset = $2 and rehearsed is distinct from $3`,
          [fence.jobId, fence.asset, ok],
        );
      }),

    recordSize: (repository, { at, storedBytes, freeBytes }) =>
      database.write(`recording the size of repository ${repository}`, async ({ query }) => {
        await query(
          `insert into repository_sizes as kept (repository, day, at, stored_bytes, free_bytes)
           values ($1, $2, $3, $4, $5)
           on conflict (repository, day) do update set
             at = excluded.at, stored_bytes = excluded.stored_bytes, free_bytes = excluded.free_bytes
           where kept.at <= excluded.at`,
          [repository, dayOf(new Date(at)), at, storedBytes, freeBytes],
        );
      }),

    lastSize: (repository) =>
      database.read(`looking up the size of repository ${repository}`, async (query) => {
        const [row] = await query<RepositorySize>(
          `select ${SIZE} from repository_sizes where repository = $1 order by day desc limit 1`,
          [repository],
        );
        return row ?? null;
      }),

    sizes: (since) =>
      database.read('reading the sizes of repositories', async (query) => {
        const rows = await query<RepositorySize & { repository: string }>(
          `select repository, ${SIZE} from repository_sizes where day >= $1 order by day`,
          [dayOf(since)],
        );
        const sizes = new Map<string, RepositorySize[]>();
        for (const { repository, ...size } of rows) {
          const known = sizes.get(repository);
          if (known) known.push(size);
          else sizes.set(repository, [size]);
        }
        return sizes;
      }),
  };
}

const SIZE = `at, stored_bytes as "storedBytes", free_bytes as "freeBytes"`;
