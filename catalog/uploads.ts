// What was really sent to each repository, by attempt, and who waits for its daily budget. Whether a send may
// begin is decided and promised in one transaction: two at once do not both take what is left of the day.

import {
  budgetDay,
  decideBudget,
  overrunWords,
  waitingWords,
  type BudgetDecision,
  type BudgetFacts,
} from '../domain/guards/budget.ts';
import type { DailyUpload } from '../domain/configuration/types.ts';
import { expectedBytes } from '../domain/guards/expected.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { appendJobEvents } from './job-events.ts';

export interface Uploads {
  /**
   * By (job, asset, repository). Promises the send its bytes, or puts the job to `waiting`, with an event that
   * says why; a job goes on when nothing of it waits any more.
   */
  reserve(send: Send, wanted: { budget: DailyUpload; expected: number }, now: Date): Promise<BudgetDecision>;
  /** By (run, asset, repository, step, attempt). */
  begin(attempt: UploadAttempt, at: string): Promise<void>;
  /** Later words replace earlier ones: what was estimated may be found out. `sent` settles the promise. */
  end(attempt: UploadAttempt, sent: UploadEnd): Promise<void>;
  /** Earlier attempts at the same send that did not come to their end, oldest first. */
  unfinished(attempt: UploadAttempt): Promise<UnfinishedUpload[]>;
  /** From what the last ones sent there; null: nothing of the asset is there. */
  expected(asset: string, repository: string): Promise<number | null>;
  /** Sent in a time; what lasted longer counts in proportion. */
  sentBetween(repository: string, from: string, to: string): Promise<number>;
  /** Sends that wait now. */
  waiting(): Promise<UploadWait[]>;
}

export interface Send {
  jobId: string;
  asset: string;
  repository: string;
}

export interface UploadAttempt {
  /** A job's id, or a restore's. */
  run: string;
  asset: string;
  repository: string;
  step: 'store' | 'copy';
  attempt: number;
}

export interface UploadEnd {
  bytes: number;
  measured: 'estimated' | 'found' | 'sent';
  at: string;
}

export interface UnfinishedUpload {
  attempt: number;
  startedAt: string;
  /** null: its worker died. */
  endedAt: string | null;
  bytes: number;
  /** The last progress on record of the asset in this job. */
  progressBytes: number;
}

export interface UploadWait extends Send {
  policy: string | null;
  expected: number;
  since: string;
  until: string;
}

export function uploads(database: Database): Uploads {
  return {
    reserve: (send, wanted, now) =>
      database.write(`asking for the upload budget of ${send.repository}`, (transaction) =>
        reserve(transaction, send, wanted, now),
      ),

    begin: ({ run, asset, repository, step, attempt }, at) =>
      database.write(`noting an upload to ${repository}`, async ({ query }) => {
        await query(
          `insert into uploads (run, asset, repository, step, attempt, started_at)
           values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
          [run, asset, repository, step, attempt, at],
        );
      }),

    end: ({ run, asset, repository, step, attempt }, { bytes, measured, at }) =>
      database.write(`counting an upload to ${repository}`, async ({ query }) => {
        await query(
          `update uploads set bytes = $6, measured = $7, ended_at = greatest(started_at, coalesce(ended_at, $8))
            where run = $1 and asset = $2 and repository = $3 and step = $4 and attempt = $5
              and measured <> 'sent'`,
          [run, asset, repository, step, attempt, Math.round(bytes), measured, at],
        );
        if (measured !== 'sent') return;
        await query(
          `update upload_reservations set settled_at = $4
            where job_id::text = $1 and asset = $2 and repository = $3 and settled_at is null`,
          [run, asset, repository, at],
        );
      }),

    unfinished: ({ run, asset, repository, step, attempt }) =>
      database.read('looking up interrupted uploads', (query) =>
        query<UnfinishedUpload>(
          `select attempt, started_at as "startedAt", ended_at as "endedAt", bytes,
                  coalesce((select (progress ->> 'bytesDone')::bigint from job_assets
                             where job_id::text = run and job_assets.asset = uploads.asset), 0) as "progressBytes"
             from uploads
            where run = $1 and asset = $2 and repository = $3 and step = $4 and attempt < $5
              and measured in ('begun', 'estimated')
            order by attempt`,
          [run, asset, repository, step, attempt],
        ),
      ),

    expected: (asset, repository) =>
      database.read(`estimating an upload of ${asset}`, (query) => expected(query, asset, repository)),

    sentBetween: (repository, from, to) =>
      database.read(`counting what was sent to ${repository}`, (query) =>
        sentBetween(query, repository, from, to),
      ),

    waiting: () =>
      database.read('listing what waits for a budget', (query) =>
        query<UploadWait>(
          `select job_id as "jobId", asset, upload_waits.repository, policy, expected, since, until
             from upload_waits join jobs on jobs.id = job_id
             join job_assets using (job_id, asset)
            where upload_waits.ended_at is null and jobs.status in ('running', 'waiting')
              and job_assets.status = 'running'
            order by since`,
        ),
      ),
  };
}

/** One send of a repository at a time is judged: all others see what it was promised. */
async function reserve(
  transaction: Transaction,
  send: Send,
  { budget, expected }: { budget: DailyUpload; expected: number },
  now: Date,
): Promise<BudgetDecision> {
  const { query } = transaction;
  const { jobId, asset, repository } = send;
  await query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`uploads/${repository}`]);
  const [promised] = await query(
    `select from upload_reservations
      where job_id = $1 and asset = $2 and repository = $3 and settled_at is null`,
    [jobId, asset, repository],
  );
  if (promised) return { go: true, overrun: 0 };
  const facts = await factsOf(query, send, budget, expected, now);
  const decision = decideBudget(facts, now);
  if (!decision.go) {
    await defer(transaction, send, facts, decision.until, now);
    return decision;
  }
  await query(
    `insert into upload_reservations (job_id, asset, repository, expected, reserved_at)
     values ($1, $2, $3, $4, $5)
     on conflict (job_id, asset, repository) do update set
       expected = excluded.expected, reserved_at = excluded.reserved_at, settled_at = null`,
    [jobId, asset, repository, expected, now.toISOString()],
  );
  if (decision.overrun > 0) {
    const message = overrunWords(send, facts);
    await appendJobEvents(query, jobId, [{ ...eventOf(send, now), level: 'warning', message }]);
    const details = { asset, repository, expected, budget: budget.bytes, overrun: decision.overrun };
    transaction.audit({ action: 'upload.overBudget', subject: `job/${jobId}`, details });
  }
  if (facts.waitingSince !== null) await goOn(transaction, send, now);
  return decision;
}

async function factsOf(
  query: Query,
  { jobId, asset, repository }: Send,
  budget: DailyUpload,
  expected: number,
  now: Date,
): Promise<BudgetFacts> {
  const { startsAt, resetsAt } = budgetDay(now, budget.resetSeconds);
  const [wait] = await query<{ since: string }>(
    `select since from upload_waits
      where job_id = $1 and asset = $2 and repository = $3 and ended_at is null`,
    [jobId, asset, repository],
  );
  // Of what is under way, the part that no attempt has accounted for; of what waits, what is due and was first.
  const [others] = await query<{ promised: number; due: number }>(
    `select
       (select coalesce(sum(greatest(0, held.expected - coalesce((
                 select sum(bytes) from uploads
                  where run = held.job_id::text and asset = held.asset and repository = held.repository
                    and started_at >= held.reserved_at), 0))), 0)::bigint
          from upload_reservations as held
          join jobs on jobs.id = held.job_id and jobs.status in ('running', 'waiting')
          join job_assets on job_assets.job_id = held.job_id and job_assets.asset = held.asset
           and job_assets.status = 'running'
         where held.repository = $1 and held.settled_at is null) as promised,
       (select coalesce(sum(other.expected), 0)::bigint
          from upload_waits as other
          join jobs on jobs.id = other.job_id and jobs.status in ('running', 'waiting')
          join job_assets on job_assets.job_id = other.job_id and job_assets.asset = other.asset
           and job_assets.status = 'running'
         where other.repository = $1 and other.ended_at is null and other.until <= $2
           and (other.since, other.job_id, other.asset) < (coalesce($3, $2), $4::uuid, $5::text)) as due`,
    [repository, now.toISOString(), wait?.since ?? null, jobId, asset],
  );
  return {
    budget,
    sent: await sentBetween(query, repository, startsAt, resetsAt),
    promised: (others?.promised ?? 0) + (others?.due ?? 0),
    expected,
    waitingSince: wait?.since ?? null,
  };
}

async function defer(
  { query, audit }: Transaction,
  send: Send,
  facts: BudgetFacts,
  until: string,
  now: Date,
): Promise<void> {
  const { jobId, asset, repository } = send;
  const changed = await query(
    `insert into upload_waits as kept (job_id, asset, repository, expected, since, until)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (job_id, asset, repository) do update set
       expected = excluded.expected, until = excluded.until, ended_at = null,
       since = case when kept.ended_at is null then kept.since else excluded.since end
     where kept.until <> excluded.until or kept.ended_at is not null returning job_id`,
    [jobId, asset, repository, facts.expected, now.toISOString(), until],
  );
  if (changed.length === 0) return;
  await query(`update jobs set status = 'waiting' where id = $1 and status = 'running'`, [jobId]);
  await appendJobEvents(query, jobId, [
    { ...eventOf(send, now), level: 'warning', message: waitingWords(send, facts, until) },
  ]);
  const { sent, promised, expected, budget } = facts;
  const details = { asset, repository, sent, promised, expected, budget: budget.bytes, until };
  audit({ action: 'job.deferred', subject: `job/${jobId}`, details });
}

async function goOn({ query, audit }: Transaction, send: Send, now: Date): Promise<void> {
  const { jobId, asset, repository } = send;
  await query(
    `update upload_waits set ended_at = $4
      where job_id = $1 and asset = $2 and repository = $3 and ended_at is null`,
    [jobId, asset, repository, now.toISOString()],
  );
  await query(
    `update jobs set status = 'running' where id = $1 and status = 'waiting'
        and not exists (
          select from upload_waits join job_assets using (job_id, asset)
           where job_id = $1 and ended_at is null and job_assets.status = 'running')`,
    [jobId],
  );
  const message = `${asset} goes on to ${repository}: the day's upload budget has room for it`;
  await appendJobEvents(query, jobId, [{ ...eventOf(send, now), level: 'info', message }]);
  audit({ action: 'job.resumed', subject: `job/${jobId}`, details: { asset, repository } });
}

function eventOf({ asset }: Send, now: Date) {
  return { at: now.toISOString(), asset, step: 'guard' };
}

/** Six: the median of five, and one to see whether the first is among them. */
const RUNS_LOOKED_AT = 6;

async function expected(query: Query, asset: string, repository: string): Promise<number | null> {
  const counted = await query<{ bytes: number }>(
    `select (select sum(bytes) from uploads as attempt
              where attempt.run = newest.run and attempt.asset = $1 and attempt.repository = $2
                and attempt.measured in ('sent', 'found', 'estimated'))::bigint as bytes
       from (select run, ended_at from uploads
              where asset = $1 and repository = $2 and measured = 'sent'
              order by ended_at desc limit $3) as newest
      order by newest.ended_at desc`,
    [asset, repository, RUNS_LOOKED_AT],
  );
  const bytes = counted.map((run) => run.bytes);
  if (bytes.length > 0) return expectedBytes(bytes, bytes.length < RUNS_LOOKED_AT);
  // Points from before uploads were counted.
  const points = await query<{ addedBytes: number }>(
    `select added_bytes as "addedBytes" from recovery_points
       join point_copies on point_copies.point_id = recovery_points.id and point_copies.repository = $2
      where asset = $1 and kind = 'regular' order by taken_at desc limit $3`,
    [asset, repository, RUNS_LOOKED_AT],
  );
  return expectedBytes(
    points.map((point) => point.addedBytes),
    points.length < RUNS_LOOKED_AT,
  );
}

async function sentBetween(query: Query, repository: string, from: string, to: string): Promise<number> {
  const [row] = await query<{ bytes: number }>(
    `select coalesce(sum(case
         when ended_at = started_at then bytes
         else bytes * (extract(epoch from least(ended_at, $3) - greatest(started_at, $2))
                       / extract(epoch from ended_at - started_at)) end), 0)::bigint as bytes
       from uploads
      where repository = $1 and ended_at >= $2 and started_at < $3`,
    [repository, from, to],
  );
  return row?.bytes ?? 0;
}
