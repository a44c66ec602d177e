// The facts `status` is judged from, in one query: for every asset a handful of index look-ups, however many
// recovery points there are.

import type { LastJob, PointMark } from '../domain/objectives.ts';
import type { DataClass } from '../domain/configuration/types.ts';
import type { AssetStatus, Failure } from '../domain/job.ts';
import type { AssetType } from '../domain/recovery-point.ts';

import type { Query } from './connection.ts';

export async function assetStates(query: Query): Promise<AssetState[]> {
  const rows = await query<StatusRow>(STATUS);
  const time = spelling();
  return rows.map(({ lastJobId, lastJobStatus, lastJobStartedAt, lastJobEndedAt, lastJobError, ...row }) => ({
    ...row,
    newest: mark(row.newest, time),
    newestVerified: mark(row.newestVerified, time),
    newestProven: mark(row.newestProven, time),
    damagedNewest: mark(row.damagedNewest, time),
    lastJob:
      lastJobId && lastJobStatus && lastJobStartedAt
        ? {
            id: lastJobId,
            status: lastJobStatus,
            startedAt: lastJobStartedAt,
            endedAt: lastJobEndedAt,
            error: lastJobError,
          }
        : null,
    copies: row.copies.map((copy) => ({
      ...copy,
      newestTakenAt: time(copy.newestTakenAt),
      storedAt: time(copy.storedAt),
    })),
  }));
}

/** The facts `status` is judged from; judging (health, objectives) is the domain's. Regular points only. */
export interface AssetState {
  asset: string;
  assetType: AssetType;
  dataClass: DataClass;
  site: string;
  /** null: in no policy. */
  policy: string | null;
  /** Newest point of any proof but `damaged`. */
  newest: PointMark | null;
  /** Newest point at least verified. */
  newestVerified: PointMark | null;
  newestProven: PointMark | null;
  /** When a restore of the asset last succeeded in a sandbox, whichever point it was of. */
  lastProvenAt: string | null;
  /** The newest backup of this asset, also a running one. */
  lastJob: LastJob | null;
  /** The newest `rehearse` measured, or whole restore: its `prepare` and its `restore` together. */
  measuredSeconds: number | null;
  /** The very newest point, if no copy of it is whole. */
  damagedNewest: PointMark | null;
  /** Copies that are damaged, of points with a whole one and of others. */
  damagedCopies: number;
  copies: { repository: string; newestTakenAt: string; storedAt: string }[];
}

type StatusRow = Omit<AssetState, 'lastJob'> & {
  lastJobId: string | null;
  lastJobStatus: AssetStatus | null;
  lastJobStartedAt: string | null;
  lastJobEndedAt: string | null;
  lastJobError: Failure | null;
};

/** The conditions on proof are spelled as in the partial indexes, or those are not used. */
function newestWhere(condition: string): string {
  return `(select jsonb_build_object('id', id, 'takenAt', taken_at) from recovery_points
    where asset = assets.name and kind = 'regular' and ${condition}
      and removing_since is null and removed_at is null
    order by taken_at desc, id desc limit 1)`;
}

/** Looked for only where an asset has damaged points at all. */
const DAMAGED_NEWEST = `case when damaged.asset is not null then (
    select case when proof = 'damaged' then jsonb_build_object('id', id, 'takenAt', taken_at) end
      from recovery_points
     where asset = assets.name and kind = 'regular' and removed_at is null
     order by taken_at desc, id desc limit 1) end`;

/** A person who waits for a restore waits for both halves, measured apart. Those of parts are never `restore`. */
const NEWEST_MEASURED = `(select last.seconds + coalesce(
      (select seconds from measured_durations as prepared
        where last.step = 'restore' and prepared.step = 'prepare'
          and prepared.run = last.run and prepared.asset = last.asset), 0)
    from (${newestOf('restore')} union all ${newestOf('rehearse')}) as last
   order by last.ended_at desc limit 1)`;

/** Step by step, so that the index gives the newest at once: asked for both, all of both were sorted. */
function newestOf(step: 'restore' | 'rehearse'): string {
  return `(select * from measured_durations
    where asset = assets.name and step = '${step}' order by ended_at desc limit 1)`;
}

/**
 * Damaged copies are few and counted once for all: asset by asset, every point would be looked at. So are the
 * damaged points and what each repository has, because one pass is cheaper than a thousand look-ups.
 */
const STATUS = `
  with hurt as materialized (
    select asset, count(*) as copies from point_copies
      join recovery_points on recovery_points.id = point_copies.point_id
     where point_copies.proof = 'damaged' and kind = 'regular' group by asset),
  damaged as materialized (
    select distinct asset from recovery_points
     where kind = 'regular' and proof = 'damaged' and removed_at is null),
  kept as materialized (
    select asset, max(proven_at) as proven_at,
           jsonb_agg(jsonb_build_object('repository', repository, 'newestTakenAt', taken_at,
             'storedAt', stored_at) order by repository) as copies
      from sync_state group by asset)
  select assets.name as asset, assets.type as "assetType", assets.data_class as "dataClass", assets.site,
    policies.name as policy,
    ${newestWhere("proof <> 'damaged'")} as newest,
    ${newestWhere("proof in ('verified', 'proven')")} as "newestVerified",
    ${newestWhere("proof = 'proven'")} as "newestProven",
    kept.proven_at as "lastProvenAt",
    last.job_id as "lastJobId", last.status as "lastJobStatus", last.job_started_at as "lastJobStartedAt",
    jobs.ended_at as "lastJobEndedAt", last.error as "lastJobError",
    ${NEWEST_MEASURED} as "measuredSeconds",
    ${DAMAGED_NEWEST} as "damagedNewest",
    coalesce(hurt.copies, 0) as "damagedCopies",
    coalesce(kept.copies, '[]') as copies
  from assets
  left join (select name, unnest(assets) as asset from policies where is_current) as policies
    on policies.asset = assets.name
  left join hurt on hurt.asset = assets.name
  left join damaged on damaged.asset = assets.name
  left join kept on kept.asset = assets.name
  left join lateral (
    select * from job_assets
     where asset = assets.name and job_type = 'backup' and status <> 'skipped'
     order by job_started_at desc limit 1) as last on true
  left join jobs on jobs.id = last.job_id
  where assets.orphaned_at is null
  order by assets.name, policies.name`;

/** Times inside jsonb are spelled PostgreSQL's way. */
type Spelling = (text: string) => string;

/** The newest point of each proof is often one and the same: its time is spelled once. */
function spelling(): Spelling {
  const spelled = new Map<string, string>();
  return (text) => {
    let time = spelled.get(text);
    if (time === undefined) spelled.set(text, (time = new Date(text).toISOString()));
    return time;
  };
}

function mark(point: PointMark | null, time: Spelling): PointMark | null {
  return point && { id: point.id, takenAt: time(point.takenAt) };
}
