// Copies of a recovery point. The point's proof is never written by itself: it follows from the copies, by the
// rule in domain/proof.ts, whenever one of them changes.

import { HoldfastError } from '../domain/errors.ts';
import { proofOfCopy, proofOfPoint, type CopyProof, type Proof } from '../domain/proof.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import type { CopyMarks, NewCopy } from './catalog.ts';
import type { Transaction } from './database.ts';
import { readPoint } from './point-rows.ts';
import { json } from './storable.ts';
import { noteCopy, noteProof } from './sync-state.ts';

/** The row as it was when it was locked. */
export interface LockedPoint {
  id: string;
  asset: string;
  kind: string;
  takenAt: string;
  proof: Proof;
  partial: string | null;
}

export async function upsertCopy(
  { query, audit }: Transaction,
  point: LockedPoint,
  copy: NewCopy,
): Promise<void> {
  const [before] = await query<{ artifactId: string }>(
    `select artifact_id as "artifactId" from point_copies where point_id = $1 and repository = $2`,
    [point.id, copy.repository],
  );
  await query(
    `insert into point_copies as kept
       (point_id, repository, artifact_id, parts, snapshot_ids, stored_at, verified_at, proven_at, proof)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'stored')
     on conflict (point_id, repository) do update set
       artifact_id = excluded.artifact_id,
       parts = excluded.parts,
       snapshot_ids = excluded.snapshot_ids,
       stored_at = case when kept.artifact_id = excluded.artifact_id
         then least(kept.stored_at, excluded.stored_at) else excluded.stored_at end,
       verified_at = case when kept.artifact_id = excluded.artifact_id
         then greatest(kept.verified_at, excluded.verified_at) else excluded.verified_at end,
       proven_at = case when kept.artifact_id = excluded.artifact_id
         then greatest(kept.proven_at, excluded.proven_at) else excluded.proven_at end,
       damaged_at = case when kept.artifact_id = excluded.artifact_id then kept.damaged_at end`,
    [
      point.id,
      copy.repository,
      copy.artifactId,
      json(copy.parts),
      copy.parts.map((part) => part.snapshotId),
      copy.storedAt,
      copy.verifiedAt ?? null,
      copy.provenAt ?? null,
    ],
  );
  await noteCopy(query, point, copy.repository, copy.storedAt);
  if (copy.provenAt && point.partial === null) await noteProof(query, point, copy.repository, copy.provenAt);
  if (before?.artifactId === copy.artifactId) return;
  const { repository, artifactId, storedAt } = copy;
  audit({
    action: 'copy.recorded',
    subject: `point/${point.id}`,
    details: { repository, artifactId, storedAt, replaces: before?.artifactId ?? null },
  });
}

export async function markCopy(
  { query, audit }: Transaction,
  point: LockedPoint,
  repository: string,
  marks: CopyMarks,
): Promise<void> {
  const [before] = await query<CopyProof>(
    `select ${COPY_TIMES} from point_copies where point_id = $1 and repository = $2`,
    [point.id, repository],
  );
  if (!before) throw unknownCopy(point.id, repository);
  const [after] = await query<CopyProof>(
    `update point_copies set
       verified_at = greatest(verified_at, $3), proven_at = greatest(proven_at, $4),
       damaged_at = greatest(damaged_at, $5)
     where point_id = $1 and repository = $2 returning ${COPY_TIMES}`,
    [point.id, repository, marks.verifiedAt ?? null, marks.provenAt ?? null, marks.damagedAt ?? null],
  );
  if (marks.provenAt && point.partial === null) await noteProof(query, point, repository, marks.provenAt);
  if (!after || proofOfCopy(after, point) !== 'damaged' || proofOfCopy(before, point) === 'damaged') return;
  audit({
    action: 'point.damaged',
    subject: `point/${point.id}`,
    details: { repository, damagedAt: after.damagedAt },
  });
}

/** The proof of each copy and of the point, as they are now. */
export async function settleProof(
  { query, audit }: Transaction,
  before: LockedPoint,
): Promise<RecoveryPoint> {
  const copies = await query<CopyProof & { repository: string }>(
    `select repository, ${COPY_TIMES} from point_copies where point_id = $1`,
    [before.id],
  );
  await query(
    `update point_copies set proof = settled.proof
       from unnest($2::text[], $3::text[]) as settled (repository, proof)
      where point_id = $1 and point_copies.repository = settled.repository
        and point_copies.proof <> settled.proof`,
    [before.id, copies.map((copy) => copy.repository), copies.map((copy) => proofOfCopy(copy, before))],
  );
  const proof = proofOfPoint(copies, before);
  if (proof !== before.proof) {
    await query('update recovery_points set proof = $2 where id = $1', [before.id, proof]);
    audit({
      action: 'proof.changed',
      subject: `point/${before.id}`,
      details: { asset: before.asset, from: before.proof, to: proof },
    });
  }
  return readPoint(query, before.id);
}

const COPY_TIMES = `stored_at as "storedAt", verified_at as "verifiedAt", proven_at as "provenAt",
  damaged_at as "damagedAt"`;

function unknownCopy(id: string, repository: string): HoldfastError {
  return new HoldfastError({
    code: 'point.unknown',
    message: `recovery point ${id} has no copy in ${repository}`,
    cause: 'the catalogue has none recorded',
    hint: `\`holdfast points show ${id.slice(0, 8)}\` lists its copies`,
  });
}
