// How far each repository is for each asset, kept as copies are recorded, so that `status` need not search.

import type { Query } from './connection.ts';

/** Only regular points count; an older point copied later does not set a repository back. */
export async function noteCopy(
  query: Query,
  point: { id: string; asset: string; kind: string; takenAt: string },
  repository: string,
  storedAt: string,
): Promise<void> {
  if (point.kind !== 'regular') return;
  await query(
    `insert into sync_state as kept (asset, repository, point_id, taken_at, stored_at)
     values ($1, $2, $3, $4, $5)
     on conflict (asset, repository) do update set
       point_id = excluded.point_id, taken_at = excluded.taken_at, stored_at = excluded.stored_at
     where excluded.taken_at > kept.taken_at`,
    [point.asset, repository, point.id, point.takenAt, storedAt],
  );
}

/** A copy was restored in a sandbox and found right. */
export async function noteProof(
  query: Query,
  point: { asset: string; kind: string },
  repository: string,
  provenAt: string,
): Promise<void> {
  if (point.kind !== 'regular') return;
  await query(
    `update sync_state set proven_at = greatest(proven_at, $3) where asset = $1 and repository = $2`,
    [point.asset, repository, provenAt],
  );
}
