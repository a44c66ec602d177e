// The facts incidents are derived from that no other part of the catalogue gives out: how the last job of each
// type ended, and when each policy last began one.

import type { Failure, JobType } from '../domain/job.ts';
import type { Outcome, PolicyFact } from '../domain/incidents/facts.ts';
import type { PingMessage } from '../domain/incidents/message.ts';
import type { Query } from './connection.ts';
import type { Database } from './database.ts';

export interface IncidentRecords {
  /** Of the policies that are configured. */
  outcomes(): Promise<Outcome[]>;
  /** Cadence, jitter and pauses are for the caller to add. */
  newestRuns(): Promise<Pick<PolicyFact, 'name' | 'since' | 'newest'>[]>;
  /** Backups of the policy that began or ended from then on, oldest first: the newest few. */
  signs(policy: string, from: string): Promise<Omit<PingMessage, 'kind' | 'id' | 'createdAt'>[]>;
}

export function incidentRecords(database: Database): IncidentRecords {
  return {
    outcomes: () =>
      database.read('reading how jobs ended', async (query) => [
        ...(await assetOutcomes(query)),
        ...(await copyOutcomes(query)),
        ...(await policyOutcomes(query)),
      ]),
    newestRuns: () => database.read('reading when backups began', newestRuns),
    signs: (policy, from) =>
      database.read(`reading the newest backups of ${policy}`, (query) => signs(query, policy, from)),
  };
}

/** Restores are asked for by a person, who is told there and then; a preflight begins nothing; drills have verdicts. */
const TYPES: JobType[] = ['backup', 'retention', 'verify'];

/** The last job that ended, not the newest: while the next one runs, the failure before it still stands. */
function assetOutcomes(query: Query): Promise<Outcome[]> {
  return query<Outcome>(
    `select policies.name as policy, named.asset, given.type, last.status, last."jobId", last.error
       from policies
      cross join lateral unnest(policies.assets) as named (asset)
      cross join lateral unnest($1::text[]) as given (type)
      cross join lateral (
        select job_assets.status, job_id as "jobId", job_assets.error
          from job_assets join jobs on jobs.id = job_id
         where asset = named.asset and job_type = given.type and jobs.ended_at is not null
           and jobs.status <> 'cancelled' and job_assets.status in ('success', 'failed')
         order by job_started_at desc limit 1) as last
      where policies.is_current order by policies.name, named.asset, given.type`,
    [TYPES],
  );
}

/**
 * Each copy by itself: what arrived in one says nothing of another. An asset of which nothing was missing there any more
 * has arrived, and so has one of which something was sent there since, by whomever.
 */
function copyOutcomes(query: Query): Promise<Outcome[]> {
  return query<Outcome>(
    `select policies.name as policy, named.asset, 'sync' as type, copy.repository,
            case when last.status = 'failed' and sent.at > last."endedAt" then 'success'
                 when last.status = 'skipped' then 'success' else last.status end as status,
            last."jobId", last.error
       from policies
      cross join lateral unnest(policies.assets) as named (asset)
      cross join lateral ${COPIES}
      cross join lateral (
        select job_assets.status, jobs.id as "jobId", job_assets.error, jobs.ended_at as "endedAt"
          from jobs join job_assets on job_id = jobs.id and job_assets.asset = named.asset
         where jobs.policy = policies.name and jobs.type = 'sync' and jobs.repository = copy.repository
           and jobs.ended_at is not null and jobs.status <> 'cancelled'
           and job_assets.status in ('success', 'failed', 'skipped')
         order by jobs.started_at desc limit 1) as last
       left join copy_attempts as sent
         on sent.asset = named.asset and sent.repository = copy.repository and sent.error is null
      where policies.is_current order by policies.name, named.asset, copy.repository`,
  );
}

/** Of one policy, as it is configured now. */
const COPIES = `(select distinct given.copy ->> 'repository' as repository
  from jsonb_array_elements(policies.definition -> 'copies') as given (copy)) as copy`;

/** A job that failed for all its assets is told by them. */
async function policyOutcomes(query: Query): Promise<Outcome[]> {
  const rows = await query<Outcome & { explained: boolean }>(
    `select policies.name as policy, null as asset, given.type, given.repository, last.status, last."jobId",
            last.error,
            exists (select from job_assets
                     where job_id = last."jobId" and job_assets.status = 'failed') as explained
       from policies
      cross join lateral (
        select type, null as repository from unnest($1::text[]) as type
        union all select 'sync', repository from ${COPIES}) as given
      cross join lateral (
        select status, id as "jobId", error from jobs
         where policy = policies.name and type = given.type and ended_at is not null
           and (given.repository is null or repository = given.repository)
         order by started_at desc limit 1) as last
      where policies.is_current order by policies.name, given.type, given.repository`,
    [TYPES],
  );
  return rows
    .filter(({ status, explained }) => !explained || status === 'cancelled')
    .map(({ explained: _, ...outcome }) => outcome);
}

function newestRuns(query: Query): Promise<Pick<PolicyFact, 'name' | 'since' | 'newest'>[]> {
  return query(
    `select policies.name, policies.since,
            case when last.id is not null then jsonb_build_object('jobId', last.id,
              'startedAt', last.started_at, 'endedAt', last.ended_at) end as newest
       from policies
       left join lateral (
         select id, started_at, ended_at from jobs
          where policy = policies.name and type = 'backup' order by started_at desc limit 1) as last on true
      where policies.is_current order by policies.name`,
  );
}

/** More than these between two looks are not worth a call each. */
const SIGNS_AT_ONCE = 5;

async function signs(query: Query, policy: string, from: string) {
  const jobs = await query<{ id: string; status: string; endedAt: string | null; error: Failure | null }>(
    `select id, status, ended_at as "endedAt", error from jobs
      where policy = $1 and type = 'backup' and coalesce(ended_at, started_at) >= $2
        and started_at >= $2::timestamptz - interval '7 days'
      order by started_at desc limit $3`,
    [policy, from, SIGNS_AT_ONCE],
  );
  return jobs.reverse().map(({ id, status, endedAt, error }) => ({
    signal:
      endedAt === null ? ('start' as const) : status === 'success' ? ('success' as const) : ('fail' as const),
    policy,
    jobId: id,
    jobType: 'backup' as const,
    words: error ? `${status}: ${error.message}` : status,
  }));
}
