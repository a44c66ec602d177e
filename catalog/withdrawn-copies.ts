// A copy that is given up, and its way back where the store did not let it go. The point's proof follows from
// the copies that are left; without any it is deleted, and known by its id only.

import type { Transaction } from './database.ts';
import { settleProof, type LockedPoint } from './point-copies.ts';
import type { PlannedDrop } from './retention.ts';
import { noteCopy } from './sync-state.ts';

export async function withdraw(
  transaction: Transaction,
  jobId: string,
  repository: string,
  { pointId, reasons }: PlannedDrop,
): Promise<void> {
  const { query, audit, at: now } = transaction;
  const point = await lock(transaction, pointId);
  if (!point) return;
  const [moved] = await query<{ moved: boolean }>(
    'select withdraw_copy($1, $2, $3, $4::text[], $5) as moved',
    [pointId, repository, jobId, reasons, now],
  );
  if (!moved?.moved) return;
  audit({ action: 'copy.dropped', subject: `point/${pointId}`, details: { repository, jobId, reasons } });
  const left = await query('select from point_copies where point_id = $1 limit 1', [pointId]);
  if (left.length > 0) {
    await settleProof(transaction, point);
    return;
  }
  const reason = `its last copy, in ${repository}, was dropped: ${reasons.join('; ')}`;
  await query('update recovery_points set deleted_at = $2, deleted_reason = $3 where id = $1', [
    pointId,
    now,
    reason,
  ]);
  const { asset, takenAt } = point;
  audit({ action: 'point.deleted', subject: `point/${pointId}`, details: { asset, takenAt, reason } });
}

export async function putBack(
  transaction: Transaction,
  repository: string,
  pointId: string,
  why: string,
): Promise<void> {
  const { query, audit, at } = transaction;
  const point = await lock(transaction, pointId);
  if (!point) return;
  const [copy] = await query<{ storedAt: string }>(
    `insert into point_copies
       (point_id, repository, artifact_id, parts, snapshot_ids, stored_at, verified_at, proven_at, damaged_at,
        proof)
     select point_id, repository, artifact_id, parts, snapshot_ids, stored_at, verified_at, proven_at, damaged_at,
            proof
       from dropped_copies
      where point_id = $1 and repository = $2 and gone_at is null and put_back_at is null
     on conflict do nothing returning stored_at as "storedAt"`,
    [pointId, repository],
  );
  if (!copy) return;
  await query(
    `update dropped_copies set put_back_at = $3
      where point_id = $1 and repository = $2 and gone_at is null and put_back_at is null`,
    [pointId, repository, at],
  );
  await query('update recovery_points set deleted_at = null, deleted_reason = null where id = $1', [pointId]);
  await noteCopy(query, point, repository, copy.storedAt);
  await settleProof(transaction, point);
  audit({ action: 'copy.retained', subject: `point/${pointId}`, details: { repository, why } });
}

async function lock({ query }: Transaction, id: string): Promise<LockedPoint | null> {
  const [row] = await query<LockedPoint>(
    `select id, asset, kind, taken_at as "takenAt", proof, partial from recovery_points where id = $1 for update`,
    [id],
  );
  return row ?? null;
}
