// Jobs as the domain knows them, out of their rows.

import type { Job, JobAsset } from '../domain/job.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { JobFilter, Page, PageRequest } from './catalog.ts';
import type { Query } from './connection.ts';
import { grouped } from './grouped.ts';
import { limitOf, pageOf, positionOf } from './page.ts';
import { CANDIDATES, onlyOne, rangeOfPrefix } from './reference.ts';

export async function findJob(query: Query, reference: string): Promise<Job> {
  const range = rangeOfPrefix(reference);
  const found = range
    ? await query<{ id: string }>('select id from jobs where id between $1 and $2 order by id limit $3', [
        range.from,
        range.to,
        CANDIDATES,
      ])
    : await query<{ id: string }>(
        'select id from jobs where workflow_id = $1 order by started_at desc limit 1',
        [reference],
      );
  const ids = found.map((row) => row.id);
  return readJob(query, onlyOne(ids, 'job', reference, 'notFound', 'holdfast jobs list'));
}

export async function listJobs(query: Query, request: JobFilter & PageRequest): Promise<Page<Job>> {
  const limit = limitOf(request);
  const position = positionOf(request.cursor, ['string', 'string']);
  const rows = await query<JobRow>(
    `select ${COLUMNS} from jobs
      where ($1::text is null or type = $1)
        and ($2::text is null or policy = $2)
        and ($3::text[] is null or status = any ($3))
        and ($4::text is null or exists (
          select from job_assets where job_id = jobs.id and job_assets.asset = $4))
        and ($5::timestamptz is null or (started_at, id) < ($5, $6::uuid))
      order by started_at desc, id desc limit $7`,
    [
      request.type ?? null,
      request.policy ?? null,
      request.status ?? null,
      request.asset ?? null,
      position?.[0] ?? null,
      position?.[1] ?? null,
      limit + 1,
    ],
  );
  const page = pageOf(rows, limit, (row) => [row.startedAt, row.id]);
  return { items: await withAssets(query, page.items), next: page.next };
}

export async function readJob(query: Query, id: string): Promise<Job> {
  const rows = await query<JobRow>(`select ${COLUMNS} from jobs where id = $1`, [id]);
  const [job] = await withAssets(query, rows);
  if (job) return job;
  throw new HoldfastError({
    code: 'notFound',
    message: `there is no job ${id}`,
    cause: 'the catalogue has none with this id',
    hint: '`holdfast jobs list` shows what there is',
  });
}

type JobRow = Omit<Job, 'assets'>;

const COLUMNS = `id, workflow_id as "workflowId", type, policy, trigger, status,
  started_at as "startedAt", ended_at as "endedAt", tags, error, repository`;

async function withAssets(query: Query, rows: JobRow[]): Promise<Job[]> {
  if (rows.length === 0) return [];
  const assets = await query<JobAsset & { jobId: string }>(
    `select job_id as "jobId", asset, status, recovery_point_id as "recoveryPointId", proof, error, notes,
            progress
       from job_assets where job_id = any ($1) order by position`,
    [rows.map((row) => row.id)],
  );
  const byJob = grouped(assets, (asset) => asset.jobId);
  return rows.map((row) => ({
    ...row,
    assets: (byJob.get(row.id) ?? []).map(({ jobId: _, ...asset }) => asset),
  }));
}
