// Jobs: begun once by id, ended once for good.

import { drillHolder, gameDayHolder } from '../domain/drills/holder.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { AssetStatus, Job, JobStatus } from '../domain/job.ts';
import type { AssetChange, Fence, JobEnd, Jobs, NewJob } from './catalog.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { holdFence } from './fence.ts';
import { releaseAllOf } from './holds.ts';
import { findJob, listJobs, readJob } from './job-rows.ts';
import { countMissedRuns } from './missed-runs.ts';
import { json } from './storable.ts';
import { jobAssetMay, jobMay } from './transitions.ts';

export function jobs(database: Database): Jobs {
  return {
    begin: (job) => database.write(`beginning the ${job.type} job`, (transaction) => jobIn(transaction, job)),

    setStatus: (id, status, because) =>
      database.write(`changing job ${id}`, async ({ query, audit }) => {
        const job = await lockJob(query, id);
        if (job.status === status) return readJob(query, id);
        if (!jobMay(job.status, status)) throw refused(id, job.status, status);
        if (status === 'running' && (await waitsForBudget(query, id))) return readJob(query, id);
        await query('update jobs set status = $2 where id = $1', [id, status]);
        const action = status === 'waiting' ? 'job.waiting' : 'job.resumed';
        audit({ action, subject: `job/${id}`, details: because === undefined ? {} : { because } });
        return readJob(query, id);
      }),

    end: (id, ending) =>
      database.write(`ending job ${id}`, (transaction) => end(transaction, database.actor, id, ending)),

    setAsset: (id, asset, change, fence) =>
      database.write(`changing ${asset} in job ${id}`, async ({ query }) => {
        if (fence) await holdFence(query, fence);
        await setAsset(query, id, asset, change);
      }),

    progress: (fence, progress) =>
      database.write(`keeping the progress of ${fence.asset}`, async ({ query }) => {
        await holdFence(query, fence);
        await query('update job_assets set progress = $3 where job_id = $1 and asset = $2', [
          fence.jobId,
          fence.asset,
          json(progress),
        ]);
      }),

    takeFence: (id, asset) =>
      database.write(`taking over ${asset} in job ${id}`, async ({ query }) => {
        const [row] = await query<{ fence: number }>(
          'update job_assets set fence = fence + 1 where job_id = $1 and asset = $2 returning fence',
          [id, asset],
        );
        if (!row) throw unknownAsset(id, asset);
        return { jobId: id, asset, number: row.fence } satisfies Fence;
      }),

    assertFence: (fence) =>
      database.write(`checking the fence of ${fence.asset}`, ({ query }) => holdFence(query, fence)),

    find: (reference) => database.read('looking up a job', (query) => findJob(query, reference)),

    list: (request = {}) => database.read('listing jobs', (query) => listJobs(query, request)),
  };
}

/** Within a transaction of the caller's, which begins something more than the job. */
export async function jobIn({ query, audit }: Transaction, job: NewJob): Promise<Job> {
  if (await alreadyBegun(query, job)) return readJob(query, job.id);
  const { status = 'running', repository = null } = job;
  const inserted = await query(
    `insert into jobs (id, workflow_id, type, policy, trigger, status, started_at, tags, repository)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing returning id`,
    [
      job.id,
      job.workflowId,
      job.type,
      job.policy,
      job.trigger,
      status,
      job.startedAt,
      job.tags ?? [],
      repository,
    ],
  );
  if (inserted.length === 0) {
    // Another transaction was first: with this job, or with another one of the policy.
    if (await alreadyBegun(query, job)) return readJob(query, job.id);
    throw await alreadyRunning(query, job);
  }
  await query(
    `insert into job_assets (job_id, asset, position, job_type, job_started_at)
     select $1, asset, position, $3, $4 from unnest($2::text[]) with ordinality as given (asset, position)`,
    [job.id, job.assets, job.type, job.startedAt],
  );
  await countMissedRuns(query, job);
  const { workflowId, type, policy, trigger, assets, tags = [] } = job;
  audit({
    action: 'job.begun',
    subject: `job/${job.id}`,
    details: {
      ...{ workflowId, type, policy, trigger, assets },
      ...(tags.length > 0 && { tags }),
      ...(repository !== null && { repository }),
    },
  });
  return readJob(query, job.id);
}

async function alreadyBegun(query: Query, job: NewJob): Promise<boolean> {
  const [existing] = await query<{ workflowId: string; type: string }>(
    'select workflow_id as "workflowId", type from jobs where id = $1',
    [job.id],
  );
  if (!existing) return false;
  if (existing.workflowId === job.workflowId && existing.type === job.type) return true;
  throw new HoldfastError({
    code: 'request.conflict',
    message: `job ${job.id} exists already and is another one`,
    cause: `it is the ${existing.type} of workflow ${existing.workflowId}, not the ${job.type} of ${job.workflowId}`,
    hint: 'every job needs an id of its own',
  });
}

async function alreadyRunning(query: Query, job: NewJob): Promise<HoldfastError> {
  const [other] = await query<{ id: string; workflowId: string }>(
    `select id, workflow_id as "workflowId" from jobs
      where policy is not distinct from $1 and type = $2 and repository is not distinct from $3
        and status in ('running', 'waiting')`,
    [job.policy, job.type, job.repository ?? null],
  );
  const what = job.repository ? `${job.type} to ${job.repository}` : job.type;
  return new HoldfastError({
    code: 'request.conflict',
    message: `a ${what}${job.policy === null ? '' : ` of policy ${job.policy}`} is running already`,
    cause: other ? `job ${other.id}, workflow ${other.workflowId}` : 'it ended just now',
    hint: other
      ? `wait for it (\`holdfast jobs show ${other.id.slice(0, 8)}\`), or cancel it first`
      : 'try again',
  });
}

async function end(transaction: Transaction, actor: string, id: string, ending: JobEnd): Promise<Job> {
  const { query, audit, at } = transaction;
  const { status: now } = await lockJob(query, id);
  if (now === ending.status) return readJob(query, id);
  if (!jobMay(now, ending.status)) throw refused(id, now, ending.status);
  const assets = await query<{ asset: string; status: AssetStatus }>(
    'select asset, status from job_assets where job_id = $1 order by position for update',
    [id],
  );
  const unmet = assets.filter(({ status }) => status !== 'success' && status !== 'skipped');
  if (ending.status === 'success' && unmet.length > 0) throw notASuccess(id, unmet);
  const error = ending.error ?? null;
  await query(
    `update job_assets set status = 'failed', error = coalesce(error, $2)
      where job_id = $1 and status in ('pending', 'running')`,
    [id, json(error ?? unfinished(id, ending.status))],
  );
  await query('update job_assets set progress = null where job_id = $1 and progress is not null', [id]);
  await query('update jobs set status = $2, ended_at = $3, error = $4 where id = $1', [
    id,
    ending.status,
    ending.endedAt ?? at,
    json(error),
  ]);
  const job = await readJob(query, id);
  audit({
    action: 'job.ended',
    subject: `job/${id}`,
    details: {
      status: job.status,
      error: error?.code ?? null,
      assets: Object.fromEntries(job.assets.map((asset) => [asset.asset, asset.status])),
    },
  });
  if (job.type === 'drill') await releaseAllOf(transaction, actor, drillHolder(id), 'the drill has ended');
  // One that did not bring everything back leaves its undo to a person.
  if (job.type === 'drill' && (job.status === 'success' || job.status === 'cancelled'))
    await releaseAllOf(transaction, actor, gameDayHolder(id), `the game day ended ${job.status}`);
  return job;
}

async function setAsset(query: Query, id: string, asset: string, change: AssetChange): Promise<void> {
  const job = await lockJob(query, id);
  const [row] = await query<{ status: AssetStatus }>(
    'select status from job_assets where job_id = $1 and asset = $2 for update',
    [id, asset],
  );
  if (!row) throw unknownAsset(id, asset);
  const status = change.status ?? row.status;
  const ended = !['running', 'waiting'].includes(job.status);
  if (ended && status === row.status) return;
  if (ended) throw refused(id, job.status, `${asset} ${status}`);
  if (status !== row.status && !jobAssetMay(row.status, status)) {
    throw refused(id, `${asset} ${row.status}`, status);
  }
  await query(
    `update job_assets set
       status = $3,
       recovery_point_id = coalesce($4, recovery_point_id),
       proof = coalesce($5, proof),
       error = case when $6 then $7::jsonb else error end,
       notes = notes || array(select note from unnest($8::text[]) as note where note <> all (notes)),
       progress = case when $3 = 'running' then progress end
     where job_id = $1 and asset = $2`,
    [
      id,
      asset,
      status,
      change.recoveryPointId ?? null,
      change.proof ?? null,
      change.error !== undefined,
      json(change.error),
      [...new Set(change.notes ?? [])],
    ],
  );
}

/** An asset of it still waits for a day's upload budget, whatever another one has been waiting for. */
async function waitsForBudget(query: Query, id: string): Promise<boolean> {
  const waits = await query(
    `select from upload_waits join job_assets using (job_id, asset)
      where job_id = $1 and ended_at is null and status = 'running' limit 1`,
    [id],
  );
  return waits.length > 0;
}

async function lockJob(query: Query, id: string): Promise<{ status: JobStatus }> {
  const [job] = await query<{ status: JobStatus }>('select status from jobs where id = $1 for update', [id]);
  if (job) return job;
  throw new HoldfastError({
    code: 'notFound',
    message: `there is no job ${id}`,
    cause: 'the catalogue has none with this id',
    hint: '`holdfast jobs list` shows what there is',
  });
}

function refused(id: string, from: string, to: string): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `job ${id} cannot go from ${from} to ${to}`,
    cause: 'what has ended never changes again',
    hint: 'start a new job',
  });
}

function notASuccess(id: string, unmet: { asset: string; status: AssetStatus }[]): HoldfastError {
  return new HoldfastError({
    code: 'internal',
    message: `job ${id} was to end as a success and is none`,
    cause: unmet.map(({ asset, status }) => `${asset} is ${status}`).join(', '),
    hint: 'this is a fault in Holdfast: please report it with the lines above',
  });
}

function unfinished(id: string, status: string) {
  return {
    code: status === 'cancelled' ? 'cancelled' : 'internal',
    message: `the job ended (${status}) before this asset was finished`,
    cause: '',
    hint: `\`holdfast jobs logs ${id.slice(0, 8)}\` shows how far it came`,
  };
}

function unknownAsset(id: string, asset: string): HoldfastError {
  return new HoldfastError({
    code: 'notFound',
    message: `${asset} is no asset of job ${id}`,
    cause: 'the catalogue has no such job, or the job was begun without this asset',
    hint: '`holdfast jobs list` shows what there is',
  });
}
