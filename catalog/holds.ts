// Holds keep recovery points from being dropped or removed, whatever a policy says: each with who wants it and
// why. A point may have several, and is free only when each was released.

import { HoldfastError } from '../domain/errors.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { findPoint } from './point-rows.ts';

export type HoldKind = 'legal' | 'other';

export interface PointHold {
  pointId: string;
  kind: HoldKind;
  /** On whose behalf the point is held. */
  owner: string;
  reason: string;
  placedAt: string;
  placedBy: string;
}

export interface NewHold {
  kind?: HoldKind;
  /** Who places it, if left out. */
  owner?: string;
  reason: string;
}

export interface Holds {
  /** The same owner's same reason twice is one hold. `request.conflict` when the point is being removed. */
  place(point: string, hold: NewHold): Promise<PointHold>;
  /** Every open hold of the point, or only this owner's. `notFound` when there is none to release. */
  release(point: string, reason: string, owner?: string): Promise<PointHold[]>;
  /** Of one asset, or of all; oldest first. */
  open(asset?: string): Promise<PointHold[]>;
  /** Of these points. */
  openOf(pointIds: readonly string[]): Promise<PointHold[]>;
}

export function holds(database: Database): Holds {
  return {
    place: (reference, hold) =>
      database.write(`placing a hold on recovery point ${reference}`, (transaction) =>
        place(transaction, database.actor, reference, hold),
      ),

    release: (reference, reason, owner) =>
      database.write(`releasing recovery point ${reference}`, (transaction) =>
        release(transaction, database.actor, reference, reason, owner),
      ),

    open: (asset) =>
      database.read('reading the holds', (query) =>
        query<PointHold>(
          `select ${COLUMNS} from point_holds as hold
             join recovery_points on recovery_points.id = hold.point_id
            where hold.released_at is null and ($1::text is null or asset = $1) order by hold.id`,
          [asset ?? null],
        ),
      ),

    openOf: (pointIds) => database.read('reading the holds', (query) => openHolds(query, pointIds)),
  };
}

export async function openHolds(query: Query, pointIds: readonly string[]): Promise<PointHold[]> {
  return query<PointHold>(
    `select ${COLUMNS} from point_holds as hold
      where released_at is null and point_id = any ($1) order by id`,
    [pointIds],
  );
}

const COLUMNS = `hold.point_id as "pointId", hold.kind, hold.owner, hold.reason,
  hold.placed_at as "placedAt", hold.placed_by as "placedBy"`;

async function place(
  { query, audit, at }: Transaction,
  actor: string,
  reference: string,
  { kind = 'legal', owner = actor, reason }: NewHold,
): Promise<PointHold> {
  const { id } = await findPoint(query, reference);
  // A removal locks the same row: whichever comes second sees the first.
  const [point] = await query<{ removingSince: string | null }>(
    `select coalesce(removing_since, removed_at) as "removingSince" from recovery_points
      where id = $1 for update`,
    [id],
  );
  if (point?.removingSince) throw beingRemoved(id, point.removingSince);
  const known = (await openHolds(query, [id])).find((hold) => hold.owner === owner && hold.reason === reason);
  if (known) return known;
  await query(
    `insert into point_holds (point_id, kind, owner, reason, placed_at, placed_by)
     values ($1, $2, $3, $4, $6, $5)`,
    [id, kind, owner, reason, actor, at],
  );
  audit({ action: 'point.held', subject: `point/${id}`, details: { kind, owner, reason } });
  return (await openHolds(query, [id])).at(-1)!;
}

/** Of a drill that has ended, however it did. */
export async function releaseAllOf(
  { query, audit, at }: Transaction,
  actor: string,
  owner: string,
  reason: string,
): Promise<void> {
  const released = await query<PointHold>(
    `update point_holds as hold set released_at = $4, released_by = $2, release_reason = $3
      where owner = $1 and released_at is null returning ${COLUMNS}`,
    [owner, actor, reason, at],
  );
  for (const { pointId, kind, reason: placedFor, placedAt } of released) {
    const details = { kind, owner, placedFor, placedAt, reason };
    audit({ action: 'point.released', subject: `point/${pointId}`, details });
  }
}

async function release(
  { query, audit, at }: Transaction,
  actor: string,
  reference: string,
  reason: string,
  owner: string | undefined,
): Promise<PointHold[]> {
  const { id } = await findPoint(query, reference);
  await query('select from recovery_points where id = $1 for update', [id]);
  const open = await openHolds(query, [id]);
  const released = open.filter((hold) => owner === undefined || hold.owner === owner);
  if (released.length === 0) throw notHeld(id, open, owner);
  await query(
    `update point_holds set released_at = $5, released_by = $2, release_reason = $3
      where point_id = $1 and released_at is null and ($4::text is null or owner = $4)`,
    [id, actor, reason, owner ?? null, at],
  );
  for (const { kind, owner, reason: placedFor, placedAt } of released) {
    audit({
      action: 'point.released',
      subject: `point/${id}`,
      details: { kind, owner, placedFor, placedAt, reason },
    });
  }
  return released;
}

function notHeld(id: string, open: readonly PointHold[], owner: string | undefined): HoldfastError {
  return new HoldfastError({
    code: 'notFound',
    message: `recovery point ${id} was not released`,
    cause:
      open.length === 0
        ? 'nobody holds it'
        : `${owner} does not hold it; ${open.map((hold) => hold.owner).join(', ')} does`,
    hint: `\`holdfast points show ${id.slice(0, 8)}\` lists its holds`,
  });
}

function beingRemoved(id: string, since: string): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `recovery point ${id} was not held`,
    cause: `it is being removed since ${since}: some of its data may be gone`,
    hint: 'hold another point of the asset',
  });
}
