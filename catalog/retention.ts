// What retention plans from, what it planned, and what it took away. A copy is withdrawn here before the engine
// forgets it, and marked as gone afterwards: whoever dies in between leaves a copy that no list shows and that
// the next run takes away.

import type { Anomaly } from '../domain/retention/anomalies.ts';
import type { StoredCopy } from '../domain/retention/copy-facts.ts';
import type { Page, PageRequest } from './catalog.ts';
import { believeClock } from './clock-seen.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { limitOf, pageOf, positionOf } from './page.ts';
import { json } from './storable.ts';
import { putBack, withdraw } from './withdrawn-copies.ts';

export interface RetentionRecords {
  /** The points of one asset with a copy there, newest first, and what is known of that copy. */
  facts(asset: string, repository: string, page?: PageRequest): Promise<Page<CopyFacts>>;
  /** Of these engine snapshots, those that no copy in the repository and no withdrawn one is made of. */
  unknownSnapshots(repository: string, snapshotIds: readonly string[]): Promise<string[]>;
  /** Jobs that backed up the asset at that moment: an attempt of theirs may have left a snapshot. */
  jobsAt(asset: string, at: string): Promise<string[]>;
  /** Keeps the first plan of a job for a repository; a later one changes nothing. Returns whether it was kept. */
  recordPlan(plan: RecordedPlan): Promise<boolean>;
  planOf(jobId: string, repository: string): Promise<{ kept: number; dropped: number } | null>;
  /** What is left to do of a plan, oldest first. */
  planned(jobId: string, repository: string, limit: number): Promise<PlannedDrop[]>;
  /** A point that the store did not let go, so that it stays after all. */
  keepAfterAll(jobId: string, repository: string, pointId: string, reason: string): Promise<void>;
  /**
   * Takes the copies out of every list. The point goes with its last one. What has to stay for what came up since
   * the plan stays; the answer says why.
   */
  withdraw(
    jobId: string,
    repository: string,
    drops: readonly PlannedDrop[],
  ): Promise<{ pointId: string; why: string }[]>;
  /** Withdrawn, and perhaps still in the engine; `snapshotIds` without those another copy needs. */
  unfinished(repository: string, limit: number): Promise<UnfinishedDrop[]>;
  gone(repository: string, pointIds: readonly string[]): Promise<void>;
  /** The store did not let them go: they are what they were. */
  putBack(repository: string, pointIds: readonly string[], why: string): Promise<void>;
  end(
    jobId: string,
    repository: string,
    sizes: { freedBytes: number; remainingBytes: number },
  ): Promise<void>;
}

export interface CopyFacts extends StoredCopy {
  snapshotIds: string[];
}

export interface PlannedDrop {
  pointId: string;
  asset: string;
  takenAt: string;
  reasons: string[];
}

export interface UnfinishedDrop {
  pointId: string;
  asset: string;
  takenAt: string;
  snapshotIds: string[];
}

export interface RecordedPlan {
  jobId: string;
  repository: string;
  plannedAt: string;
  kept: number;
  drops: readonly { recoveryPointId: string; reasons: readonly string[] }[];
  anomalies: readonly Anomaly[];
  confirmedBy: string | null;
}

export function retentionRecords(database: Database): RetentionRecords {
  return {
    facts: (asset, repository, request = {}) =>
      database.read(`reading the recovery points of ${asset} in ${repository}`, (query) =>
        facts(query, asset, repository, request),
      ),

    unknownSnapshots: (repository, snapshotIds) =>
      database.read(`comparing ${repository} with the catalogue`, async (query) => {
        const rows = await query<{ id: string }>(
          `select given.id from unnest($2::text[]) as given (id)
            where not exists (select from point_copies where repository = $1 and snapshot_ids @> array[given.id])
              and not exists (select from dropped_copies where repository = $1 and gone_at is null
                and put_back_at is null and snapshot_ids @> array[given.id])`,
          [repository, snapshotIds],
        );
        return rows.map(({ id }) => id);
      }),

    jobsAt: (asset, at) =>
      database.read(`looking for the jobs of ${asset}`, async (query) => {
        const rows = await query<{ id: string }>(
          `select jobs.id from job_assets join jobs on jobs.id = job_assets.job_id
            where asset = $1 and job_type = 'backup' and job_started_at <= $2
              and (ended_at is null or ended_at >= $2)`,
          [asset, at],
        );
        return rows.map(({ id }) => id);
      }),

    recordPlan: (plan) =>
      database.write(`recording what goes from ${plan.repository}`, (transaction) =>
        recordPlan(transaction, plan),
      ),

    planOf: (jobId, repository) =>
      database.read(`looking up what goes from ${repository}`, async (query) => {
        const [row] = await query<{ kept: number; dropped: number }>(
          'select kept, dropped from retention_runs where job_id = $1 and repository = $2',
          [jobId, repository],
        );
        return row ?? null;
      }),

    planned: (jobId, repository, limit) =>
      database.read(`reading what goes from ${repository}`, (query) =>
        query<PlannedDrop>(
          `select point.id as "pointId", asset, taken_at as "takenAt", retention_drops.reasons
             from retention_drops
             join recovery_points as point on point.id = retention_drops.point_id
             join point_copies as copy on copy.point_id = point.id and copy.repository = $2
            where retention_drops.job_id = $1 and retention_drops.repository = $2 and not kept_after_all
            order by taken_at, point.id limit $3`,
          [jobId, repository, limit],
        ),
      ),

    keepAfterAll: (jobId, repository, pointId, reason) =>
      database.write(`keeping recovery point ${pointId} after all`, (transaction) =>
        keepAfterAll(transaction, jobId, repository, pointId, reason),
      ),

    withdraw: (jobId, repository, drops) =>
      database.write(`taking recovery points out of ${repository}`, async (transaction) => {
        const kept: { pointId: string; why: string }[] = [];
        for (const drop of drops) {
          const { pointId } = drop;
          const why = await withdraw(transaction, jobId, repository, drop);
          if (why === null) continue;
          await keepAfterAll(transaction, jobId, repository, pointId, why);
          kept.push({ pointId, why });
        }
        return kept;
      }),

    unfinished: (repository, limit) =>
      database.read(`reading what is still to go from ${repository}`, (query) =>
        query<UnfinishedDrop>(
          `select point.id as "pointId", asset, taken_at as "takenAt",
             array(select id from unnest(dropped.snapshot_ids) as id where not exists (
               select from point_copies where repository = $1 and snapshot_ids @> array[id])) as "snapshotIds"
             from dropped_copies as dropped join recovery_points as point on point.id = dropped.point_id
            where repository = $1 and gone_at is null and put_back_at is null
            order by taken_at, point.id limit $2`,
          [repository, limit],
        ),
      ),

    gone: (repository, pointIds) =>
      database.write(`recording what is gone from ${repository}`, async ({ query, audit, at }) => {
        const rows = await query<{ id: string; artifactId: string; jobId: string | null }>(
          `update dropped_copies set gone_at = $3
            where repository = $1 and point_id = any ($2::uuid[]) and gone_at is null and put_back_at is null
            returning point_id as id, artifact_id as "artifactId", job_id as "jobId"`,
          [repository, pointIds, at],
        );
        for (const { id, artifactId, jobId } of rows) {
          const details = { repository, artifactId, jobId };
          audit({ action: 'copy.gone', subject: `point/${id}`, details });
        }
      }),

    putBack: (repository, pointIds, why) =>
      database.write(`putting back what ${repository} did not let go`, async (transaction) => {
        for (const pointId of pointIds) await putBack(transaction, repository, pointId, why);
      }),

    end: (jobId, repository, { freedBytes, remainingBytes }) =>
      database.write(`recording the end of retention in ${repository}`, async ({ query, audit, at }) => {
        const ended = await query(
          `update retention_runs set freed_bytes = $3, remaining_bytes = $4, ended_at = $5
            where job_id = $1 and repository = $2 and ended_at is null returning job_id`,
          [jobId, repository, freedBytes, remainingBytes, at],
        );
        if (ended.length === 0) return;
        const details = { jobId, freedBytes, remainingBytes };
        audit({ action: 'retention.done', subject: `repository/${repository}`, details });
      }),
  };
}

async function facts(
  query: Query,
  asset: string,
  repository: string,
  request: PageRequest,
): Promise<Page<CopyFacts>> {
  const limit = limitOf(request);
  const position = positionOf(request.cursor, ['string', 'string']);
  const rows = await query<CopyFacts>(
    `select point.id, kind, taken_at as "takenAt", partial, tags, removing_since as "removingSince",
       snapshot_ids as "snapshotIds",
       stored_at as "storedAt", verified_at as "verifiedAt", proven_at as "provenAt", damaged_at as "damagedAt"
       from recovery_points as point
       join point_copies as copy on copy.point_id = point.id and copy.repository = $2
      where asset = $1 and ($3::timestamptz is null or (taken_at, point.id) < ($3, $4::uuid))
      order by taken_at desc, point.id desc limit $5`,
    [asset, repository, position?.[0] ?? null, position?.[1] ?? null, limit + 1],
  );
  return pageOf(rows, limit, (row) => [row.takenAt, row.id]);
}

async function keepAfterAll(
  { query, audit }: Transaction,
  jobId: string,
  repository: string,
  pointId: string,
  reason: string,
): Promise<void> {
  const kept = await query(
    `update retention_drops set kept_after_all = true
      where job_id = $1 and repository = $2 and point_id = $3 and not kept_after_all returning point_id`,
    [jobId, repository, pointId],
  );
  if (kept.length > 0)
    audit({ action: 'copy.kept', subject: `point/${pointId}`, details: { repository, jobId, reason } });
}

async function recordPlan(transaction: Transaction, plan: RecordedPlan): Promise<boolean> {
  const { query, audit } = transaction;
  const { jobId, repository, plannedAt, kept, drops, anomalies, confirmedBy } = plan;
  const inserted = await query(
    `insert into retention_runs (job_id, repository, planned_at, kept, dropped, anomalies, confirmed_by)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning job_id`,
    [jobId, repository, plannedAt, kept, drops.length, json(anomalies), confirmedBy],
  );
  if (inserted.length === 0) return false;
  await query(
    `insert into retention_drops (job_id, repository, point_id, reasons)
     select $1, $2, (given ->> 'id')::uuid, array(select jsonb_array_elements_text(given -> 'reasons'))
       from jsonb_array_elements($3::jsonb) as given`,
    [jobId, repository, json(drops.map(({ recoveryPointId: id, reasons }) => ({ id, reasons })))],
  );
  const codes = anomalies.map(({ code, message }) => ({ code, message }));
  audit({
    action: confirmedBy === null ? 'retention.planned' : 'retention.confirmed',
    subject: `repository/${repository}`,
    details: { jobId, kept, dropped: drops.length, anomalies: codes, confirmedBy },
  });
  if (confirmedBy !== null && codes.some(({ code }) => code === 'clock.untrusted'))
    await believeClock(transaction, plannedAt);
  return true;
}
