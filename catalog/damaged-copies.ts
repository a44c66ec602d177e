// Copies that were found damaged and make room for a new one of the same point.

import type { Database, Transaction } from './database.ts';
import { settleProof, type LockedPoint } from './point-copies.ts';

export interface DamagedCopies {
  /**
   * Takes the damaged copy of a point out of the lists, where the one it comes from is whole. Returns what the engine
   * still has to forget, also of an attempt before this one; nothing where there is no damaged copy.
   */
  withdraw(replaced: ReplacedCopy): Promise<string[]>;
  /** Points of the asset whose damaged copy there is out of the lists, and perhaps not out of the engine. */
  unfinished(asset: string, repository: string): Promise<string[]>;
}

export interface ReplacedCopy {
  jobId: string;
  point: string;
  /** Where the point is sent from. */
  from: string;
  to: string;
}

export function damagedCopies(database: Database): DamagedCopies {
  return {
    withdraw: (replaced) =>
      database.write(`clearing away the damaged copy of ${replaced.point} in ${replaced.to}`, (transaction) =>
        withdraw(transaction, replaced),
      ),

    unfinished: (asset, repository) =>
      database.read(`looking for damaged copies in ${repository}`, async (query) => {
        const rows = await query<{ id: string }>(
          `select point.id from dropped_copies as dropped join recovery_points as point on point.id = point_id
            where repository = $2 and asset = $1 and dropped.proof = 'damaged'
              and gone_at is null and put_back_at is null`,
          [asset, repository],
        );
        return rows.map(({ id }) => id);
      }),
  };
}

async function withdraw(
  transaction: Transaction,
  { jobId, point: id, from, to }: ReplacedCopy,
): Promise<string[]> {
  const { query, audit, at } = transaction;
  const [point] = await query<LockedPoint>(
    `select id, asset, kind, taken_at as "takenAt", proof, partial from recovery_points
      where id = $1 and removed_at is null and removing_since is null for update`,
    [id],
  );
  if (!point) return [];
  const [replaceable] = await query(
    `select from point_copies as broken join point_copies as whole using (point_id)
      where point_id = $1 and broken.repository = $2 and broken.proof = 'damaged'
        and whole.repository = $3 and whole.proof <> 'damaged'`,
    [id, to, from],
  );
  if (replaceable) {
    const reasons = [`it is damaged, and is sent again from ${from}`];
    await query('select withdraw_copy($1, $2, $3, $4::text[], $5)', [id, to, jobId, reasons, at]);
    audit({ action: 'copy.dropped', subject: `point/${id}`, details: { repository: to, jobId, reasons } });
    await settleProof(transaction, point);
  }
  const left = await query<{ snapshotIds: string[] }>(
    `select snapshot_ids as "snapshotIds" from dropped_copies
      where point_id = $1 and repository = $2 and proof = 'damaged' and gone_at is null and put_back_at is null`,
    [id, to],
  );
  return left.flatMap(({ snapshotIds }) => snapshotIds);
}
