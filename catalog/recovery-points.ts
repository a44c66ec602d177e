// Recovery points, recorded once however often a step runs, and only by who holds the fence.

import { HoldfastError } from '../domain/errors.ts';
import type { Fence, NewPoint, Points } from './catalog.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { holdFence } from './fence.ts';
import { markCopy, settleProof, upsertCopy, type LockedPoint } from './point-copies.ts';
import { findPoint, listPoints, newestPoint, pointsWithSnapshots, unknownPoint } from './point-rows.ts';
import { json } from './storable.ts';

export function points(database: Database): Points {
  return {
    record: (point, fence) =>
      database.write(`recording a recovery point of ${point.asset}`, async (transaction) => {
        await holdFenceFor(transaction.query, point, fence);
        await upsertPoint(transaction, point);
        const before = await lockPoint(transaction.query, point.id);
        for (const copy of point.copies) await upsertCopy(transaction, before, copy);
        return settleProof(transaction, before);
      }),

    recordCopy: (pointId, copy, fence) =>
      database.write(`recording a copy in ${copy.repository}`, async (transaction) => {
        if (fence) await holdFence(transaction.query, fence);
        const before = await lockPoint(transaction.query, pointId);
        if (fence) await refuseWhileRemoved(transaction.query, pointId, copy.repository);
        await upsertCopy(transaction, before, copy);
        return settleProof(transaction, before);
      }),

    markCopy: (pointId, repository, marks, fence) =>
      database.write(`recording what was shown of the copy in ${repository}`, async (transaction) => {
        if (fence) await holdFence(transaction.query, fence);
        const before = await lockPoint(transaction.query, pointId);
        await markCopy(transaction, before, repository, marks);
        return settleProof(transaction, before);
      }),

    find: (reference) => database.read('looking up a recovery point', (query) => findPoint(query, reference)),

    list: (request = {}) => database.read('listing recovery points', (query) => listPoints(query, request)),

    newest: (asset, wanted = {}) =>
      database.read(`looking for the newest recovery point of ${asset}`, (query) =>
        newestPoint(query, asset, wanted),
      ),

    countByRepository: () =>
      database.read('counting recovery points', (query) =>
        query<{ repository: string; points: number }>(
          `select repository, count(*) as points from point_copies join recovery_points on id = point_id
            where kind = 'regular' group by repository order by repository`,
        ),
      ),

    withSnapshots: (repository, snapshotIds) =>
      database.read('looking for the recovery points of snapshots', (query) =>
        pointsWithSnapshots(query, repository, snapshotIds),
      ),
  };
}

async function holdFenceFor(query: Query, point: NewPoint, fence: Fence | null): Promise<void> {
  if ((fence?.jobId ?? null) !== point.jobId || (fence && fence.asset !== point.asset)) {
    throw new HoldfastError({
      code: 'fenced',
      message: `recovery point ${point.id} of ${point.asset} was not recorded`,
      cause: fence
        ? `the fence is for ${fence.asset} in job ${fence.jobId}`
        : `it comes from job ${point.jobId}, and no fence was shown`,
      hint: 'take the fence of this asset in this job first',
    });
  }
  if (fence) await holdFence(query, fence);
}

async function upsertPoint({ query, audit }: Transaction, point: NewPoint): Promise<void> {
  // Points come also from repositories, of assets no configuration has (yet): orphaned from the start.
  await query('insert into assets (name, type, orphaned_at) values ($1, $2, now()) on conflict do nothing', [
    point.asset,
    point.assetType,
  ]);
  const [written] = await query<{ inserted: boolean; asset: string; kind: string }>(
    `insert into recovery_points as kept
       (id, asset, asset_type, policy, job_id, kind, taken_at, method, proof, bytes, added_bytes, manifest,
        partial, tags)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'stored', $9, $10, $11, $12, $13)
     on conflict (id) do update set
       bytes = excluded.bytes,
       added_bytes = excluded.added_bytes,
       method = excluded.method,
       taken_at = excluded.taken_at,
       manifest = coalesce(excluded.manifest, kept.manifest),
       partial = excluded.partial,
       tags = excluded.tags
     returning (xmax = 0) as inserted, asset, kind`,
    [
      point.id,
      point.asset,
      point.assetType,
      point.policy,
      point.jobId,
      point.kind,
      point.takenAt,
      point.method,
      point.bytes,
      point.addedBytes,
      json(point.manifest),
      point.partial ?? null,
      point.tags ?? [],
    ],
  ).catch((error: unknown) => {
    throw isSecondOfJob(error) ? secondOfJob(point) : error;
  });
  if (written?.asset !== point.asset || written.kind !== point.kind) throw anotherPoint(point);
  if (!written.inserted) return;
  const { asset, kind, takenAt, method, bytes, jobId, partial, tags = [] } = point;
  audit({
    action: 'point.recorded',
    subject: `point/${point.id}`,
    details: {
      asset,
      kind,
      takenAt,
      method,
      bytes,
      jobId,
      ...(partial && { partial }),
      ...(tags.length > 0 && { tags }),
    },
  });
}

/** Also keeps two copies of one point from being judged at once, each without the other. */
async function lockPoint(query: Query, id: string): Promise<LockedPoint> {
  const [row] = await query<LockedPoint>(
    `select id, asset, kind, taken_at as "takenAt", proof, partial from recovery_points
      where id = $1 and removed_at is null for update`,
    [id],
  );
  if (!row) throw unknownPoint(id);
  return row;
}

/** A removal names the copies that were there: what arrived after it would stay, against a person's word. */
async function refuseWhileRemoved(query: Query, id: string, repository: string): Promise<void> {
  const removing = await query('select from recovery_points where id = $1 and removing_since is not null', [
    id,
  ]);
  if (removing.length === 0) return;
  throw new HoldfastError({
    code: 'point.unknown',
    message: `recovery point ${id} got no copy in ${repository}`,
    cause: 'it is being taken away',
    hint: 'nothing need be done: what was sent is removed with the next retention there',
  });
}

function isSecondOfJob(error: unknown): boolean {
  return (error as { constraint?: unknown } | null)?.constraint === 'recovery_points_one_per_job';
}

function secondOfJob(point: NewPoint): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `recovery point ${point.id} of ${point.asset} was not recorded`,
    cause: `job ${point.jobId} has made a ${point.kind} point of ${point.asset} already`,
    hint: 'every attempt of a job uses the same point id',
  });
}

function anotherPoint(point: NewPoint): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `recovery point ${point.id} of ${point.asset} was not recorded`,
    cause: 'the catalogue has a point of another asset or kind under this id',
    hint: 'every point needs an id of its own',
  });
}
