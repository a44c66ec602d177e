// A copy that is given up, and its way back where the store did not let it go. The point's proof follows from
// the copies that are left; without any it is removed, and its id only says where it went.

import type { Query } from './connection.ts';
import type { Transaction } from './database.ts';
import { openHolds } from './holds.ts';
import { settleProof, type LockedPoint } from './point-copies.ts';
import { newestPoint } from './point-rows.ts';
import { openRestores } from './removals.ts';
import type { PlannedDrop } from './retention.ts';
import { noteCopy } from './sync-state.ts';

/** null: it was, or was before. Else why it has to stay, by what is known once nobody can change it any more. */
export async function withdraw(
  transaction: Transaction,
  jobId: string,
  repository: string,
  { pointId, reasons }: PlannedDrop,
): Promise<string | null> {
  const { query, audit, at: now } = transaction;
  const point = await lock(transaction, pointId);
  if (!point) return null;
  const why = await whyItStays(query, point, repository);
  if (why !== null) return why;
  const [moved] = await query<{ moved: boolean }>(
    'select withdraw_copy($1, $2, $3, $4::text[], $5) as moved',
    [pointId, repository, jobId, reasons, now],
  );
  if (!moved?.moved) return null;
  audit({ action: 'copy.dropped', subject: `point/${pointId}`, details: { repository, jobId, reasons } });
  const left = await query('select from point_copies where point_id = $1 limit 1', [pointId]);
  if (left.length > 0) {
    await settleProof(transaction, point);
    return null;
  }
  const reason = `its last copy, in ${repository}, was dropped: ${reasons.join('; ')}`;
  await query(
    `update recovery_points set removed_at = $2, removed_by = 'retention', removed_reason = $3 where id = $1`,
    [pointId, now, reason],
  );
  const { asset, takenAt } = point;
  audit({ action: 'point.removed', subject: `point/${pointId}`, details: { asset, takenAt, reason } });
  return null;
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
  await query(
    `update recovery_points
        set removing_since = null, removed_at = null, removed_by = null, removed_reason = null where id = $1`,
    [pointId],
  );
  await noteCopy(query, point, repository, copy.storedAt);
  await settleProof(transaction, point);
  audit({ action: 'copy.retained', subject: `point/${pointId}`, details: { repository, why } });
}

/**
 * A hold, a restore or a removal locks the same row: whichever comes second sees the first. Each repository is
 * planned by itself, and what was whole elsewhere at the time may be damaged by now: the last resort is looked
 * at over all of them (law 4).
 */
async function whyItStays(query: Query, point: WithdrawnPoint, repository: string): Promise<string | null> {
  const [hold] = await openHolds(query, [point.id]);
  if (hold) return `held by ${hold.owner}: ${hold.reason}`;
  const [restore] = await openRestores(query, point.id);
  if (restore !== undefined) return `held by restore ${restore}: it has not ended`;
  if (point.removingSince !== null) return 'it is being removed by a person';
  if (point.kind === 'system' && (await isNewestThere(query, point, repository)))
    return `the newest of the control plane in ${repository}`;
  const elsewhere = await query(
    `select from point_copies where point_id = $1 and repository <> $2 and proof <> 'damaged' limit 1`,
    [point.id, repository],
  );
  if (elsewhere.length > 0 || point.kind !== 'regular') return null;
  for (const proof of ['proven', 'stored'] as const) {
    const newest = await newestPoint(query, point.asset, { proof });
    const words = proof === 'proven' ? 'newest proven point' : 'newest point that is not damaged';
    if (newest?.id === point.id) return `the last whole copy of the ${words} of ${point.asset}`;
  }
  return null;
}

async function isNewestThere(query: Query, { id }: LockedPoint, repository: string): Promise<boolean> {
  const [newest] = await query<{ id: string }>(
    `select point.id from recovery_points as point join point_copies as copy on copy.point_id = point.id
      where kind = 'system' and repository = $1 and copy.proof <> 'damaged'
      order by taken_at desc, point.id desc limit 1`,
    [repository],
  );
  return newest?.id === id;
}

type WithdrawnPoint = LockedPoint & { removingSince: string | null };

async function lock({ query }: Transaction, id: string): Promise<WithdrawnPoint | null> {
  const [row] = await query<WithdrawnPoint>(
    `select id, asset, kind, taken_at as "takenAt", proof, partial, removing_since as "removingSince"
       from recovery_points where id = $1 for update`,
    [id],
  );
  return row ?? null;
}
