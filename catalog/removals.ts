// Taking a recovery point away, by a person's word. First the intent is recorded, under which nobody can hold or
// newly rely on the point; then the hands forget the engine's snapshots; then each copy's row goes. Whoever dies
// in between, the same removal goes on from there.

import { HoldfastError } from '../domain/errors.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import { whyNotRemoved } from '../domain/removal.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { openHolds } from './holds.ts';
import { settleProof, type LockedPoint } from './point-copies.ts';
import { readPoint } from './point-rows.ts';

export interface Removals {
  /** Refuses with `request.conflict` what is held, or used by a restore that has not ended. */
  begin(pointId: string, repositories: readonly string[], reason: string): Promise<RecoveryPoint>;
  /** After the engine has forgotten it. With the last copy the point leaves every list. */
  copyGone(pointId: string, repository: string, reason: string): Promise<void>;
  /** Restores that have not ended and use this point, by id. */
  openRestores(pointId: string): Promise<string[]>;
  /** Points of the asset that a person has ordered out of that repository: they do not come back by themselves. */
  orderedOut(asset: string, repository: string): Promise<string[]>;
  /** Those that have copies left to take away, oldest first. */
  unfinished(): Promise<OrderedRemoval[]>;
}

/** As a person ordered it. */
export interface OrderedRemoval {
  point: string;
  repositories: string[];
  reason: string;
  actor: string;
  begunAt: string;
}

const LISTED_AT_ONCE = 500;

export function removals(database: Database): Removals {
  return {
    begin: (id, repositories, reason) =>
      database.write(`beginning the removal of recovery point ${id}`, (transaction) =>
        begin(transaction, database.actor, id, repositories, reason),
      ),

    copyGone: (id, repository, reason) =>
      database.write(`recording that the copy in ${repository} is gone`, (transaction) =>
        copyGone(transaction, database.actor, id, repository, reason),
      ),

    openRestores: (id) =>
      database.read('looking for restores of a recovery point', (query) => openRestores(query, id)),

    orderedOut: (asset, repository) =>
      database.read(`looking for what was taken out of ${repository}`, async (query) => {
        const rows = await query<{ id: string }>(
          `select distinct point.id from point_removals join recovery_points as point on point.id = point_id
            where asset = $1 and $2 = any (repositories) and removed_at is null`,
          [asset, repository],
        );
        return rows.map(({ id }) => id);
      }),

    unfinished: () =>
      database.read('listing the removals that have not ended', (query) =>
        query<OrderedRemoval>(
          `select point_id as point, repositories, reason, ordered_by as actor, begun_at as "begunAt"
             from point_removals join recovery_points as point on point.id = point_id
            where ended_at is null and removed_at is null order by point_removals.id limit ${LISTED_AT_ONCE}`,
        ),
      ),
  };
}

async function begin(
  { query, audit, at }: Transaction,
  actor: string,
  id: string,
  repositories: readonly string[],
  reason: string,
): Promise<RecoveryPoint> {
  await query('select from recovery_points where id = $1 and removed_at is null for update', [id]);
  const point = await readPoint(query, id);
  const refusals = whyNotRemoved({
    holds: await openHolds(query, [id]),
    openRestores: await openRestores(query, id),
  });
  if (refusals.length > 0) {
    throw new HoldfastError({
      code: 'request.conflict',
      message: `recovery point ${id} was not removed`,
      cause: refusals.join('; '),
      hint: `release it (\`holdfast points release ${id.slice(0, 8)} --reason …\`), or end the restore first`,
    });
  }
  // What is not there any more need not go: nothing would ever end such a removal.
  if (!point.copies.some(({ repository }) => repositories.includes(repository))) return point;
  const begun = await query(
    `insert into point_removals (point_id, repositories, reason, ordered_by, begun_at)
     values ($1, $2, $3, $4, $5)
     on conflict (point_id, repositories) where ended_at is null do nothing returning id`,
    [id, repositories, reason, actor, at],
  );
  if (begun.length === 0) return point;
  await query(
    'update recovery_points set removing_since = coalesce(removing_since, $2::timestamptz) where id = $1',
    [id, at],
  );
  const { asset, takenAt, kind, proof } = point;
  const details = { asset, takenAt, kind, proof, repositories: [...repositories], reason };
  audit({ action: 'point.removing', subject: `point/${id}`, details });
  return point;
}

async function copyGone(
  transaction: Transaction,
  actor: string,
  id: string,
  repository: string,
  reason: string,
): Promise<void> {
  const { query, audit } = transaction;
  const [before] = await query<LockedPoint>(
    `select id, asset, kind, taken_at as "takenAt", proof, partial from recovery_points
      where id = $1 and removed_at is null for update`,
    [id],
  );
  if (!before) return;
  const now = new Date().toISOString();
  const [moved] = await query<{ moved: boolean }>(
    'select withdraw_copy($1, $2, null, $3::text[], $4) as moved',
    [id, repository, [reason], now],
  );
  if (!moved?.moved) return;
  const [gone] = await query<{ artifactId: string }>(
    `update dropped_copies set gone_at = $3
      where point_id = $1 and repository = $2 and gone_at is null and put_back_at is null
      returning artifact_id as "artifactId"`,
    [id, repository, now],
  );
  await query(
    `update point_removals as removal set ended_at = $2
      where point_id = $1 and ended_at is null and not exists (
        select from point_copies as copy
         where copy.point_id = $1 and copy.repository = any (removal.repositories))`,
    [id, now],
  );
  const artifactId = gone?.artifactId;
  audit({ action: 'copy.removed', subject: `point/${id}`, details: { repository, artifactId, reason } });
  const [left] = await query<{ copies: number }>(
    'select count(*)::int as copies from point_copies where point_id = $1',
    [id],
  );
  if (left && left.copies > 0) {
    await query(
      `update recovery_points set removing_since = null where id = $1
          and not exists (select from point_removals where point_id = $1 and ended_at is null)`,
      [id],
    );
    await settleProof(transaction, before);
  } else {
    await query(
      `update recovery_points set removed_at = now(), removed_by = $2, removed_reason = $3 where id = $1`,
      [id, actor, reason],
    );
    const { asset, kind, takenAt } = before;
    audit({ action: 'point.removed', subject: `point/${id}`, details: { asset, kind, takenAt, reason } });
  }
}

export async function openRestores(query: Query, id: string): Promise<string[]> {
  const rows = await query<{ id: string }>(
    `select 'r-' || number as id from restores
      where status in ('preparing', 'prepared', 'awaitingApproval', 'committing', 'checking')
        and (point = $1 or safety_point_id = $1::uuid) order by number`,
    [id],
  );
  return rows.map((row) => row.id);
}
