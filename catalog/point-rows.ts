// Recovery points as the domain knows them, out of their rows.

import { HoldfastError } from '../domain/errors.ts';
import type { PointCopy, RecoveryPoint } from '../domain/recovery-point.ts';
import type { NewestWanted, Page, PageRequest, PointFilter } from './catalog.ts';
import type { Query } from './connection.ts';
import { grouped } from './grouped.ts';
import { limitOf, pageOf, positionOf } from './page.ts';
import { CANDIDATES, onlyOne, rangeOfPrefix } from './reference.ts';

export async function findPoint(query: Query, reference: string): Promise<RecoveryPoint> {
  const range = rangeOfPrefix(reference);
  const found = range
    ? await query<{ id: string }>(
        `select id from recovery_points
          where id between $1 and $2 and removed_at is null order by id limit $3`,
        [range.from, range.to, CANDIDATES],
      )
    : [];
  const ids = found.map((row) => row.id);
  if (range && ids.length === 0) await refuseRemoved(query, range.from, range.to);
  const id = onlyOne(ids, 'recovery point', reference, 'point.unknown', 'holdfast points list');
  return readPoint(query, id);
}

export async function listPoints(
  query: Query,
  request: PointFilter & PageRequest,
): Promise<Page<RecoveryPoint>> {
  const limit = limitOf(request);
  const position = positionOf(request.cursor, ['string', 'string']);
  const rows = await query<PointRow>(
    `select ${COLUMNS} from recovery_points as point
      where removed_at is null and ($1::text is null or asset = $1)
        and ($2::text is null or policy = $2)
        and ($3::text is null or kind = $3)
        and ($4::text is null or proof = $4)
        and ($5::text is null or exists (
          select from point_copies where point_id = point.id and repository = $5))
        and ($6::text[] is null or asset = any ($6))
        and ($7::timestamptz is null or (taken_at, id) < ($7, $8::uuid))
      order by taken_at desc, id desc limit $9`,
    [
      request.asset ?? null,
      request.policy ?? null,
      request.kind === undefined ? 'regular' : request.kind,
      request.proof ?? null,
      request.repository ?? null,
      request.orphaned === undefined ? null : await assetNames(query, request.orphaned),
      position?.[0] ?? null,
      position?.[1] ?? null,
      limit + 1,
    ],
  );
  const page = pageOf(rows, limit, (row) => [row.takenAt, row.id]);
  return { items: await withCopies(query, page.items), next: page.next };
}

/** A partial point lacks what was not read: it is the newest only where no whole one meets what is asked. */
export async function newestPoint(
  query: Query,
  asset: string,
  wanted: NewestWanted,
): Promise<RecoveryPoint | null> {
  return (
    (await newestOf(query, asset, wanted, 'partial is null')) ??
    (await newestOf(query, asset, wanted, 'partial is not null'))
  );
}

/** The conditions on proof are spelled out: that is how the indexes for each are found. */
async function newestOf(
  query: Query,
  asset: string,
  wanted: NewestWanted,
  completeness: string,
): Promise<RecoveryPoint | null> {
  const proofs = {
    stored: `proof <> 'damaged'`,
    verified: `proof in ('verified', 'proven')`,
    proven: `proof = 'proven'`,
  };
  const rows = await query<PointRow>(
    `select ${COLUMNS} from recovery_points as point
      where asset = $1 and kind = 'regular' and ${proofs[wanted.proof ?? 'stored']} and ${completeness}
        and removing_since is null and removed_at is null
        and ($2::timestamptz is null or taken_at <= $2)
        and ($3::text is null or exists (
          select from point_copies
           where point_id = point.id and repository = $3 and point_copies.proof <> 'damaged'))
      order by taken_at desc, id desc limit 1`,
    [asset, wanted.at ?? null, wanted.repository ?? null],
  );
  return (await withCopies(query, rows))[0] ?? null;
}

export async function pointsWithSnapshots(
  query: Query,
  repository: string,
  snapshotIds: readonly string[],
): Promise<RecoveryPoint[]> {
  const rows = await query<PointRow>(
    `select ${COLUMNS} from recovery_points as point
      where id in (select point_id from point_copies where repository = $1 and snapshot_ids && $2::text[])
      order by taken_at desc, id desc`,
    [repository, snapshotIds],
  );
  return withCopies(query, rows);
}

export async function readPoint(query: Query, id: string): Promise<RecoveryPoint> {
  const rows = await query<PointRow>(`select ${COLUMNS} from recovery_points as point where id = $1`, [id]);
  const [point] = await withCopies(query, rows);
  if (!point) throw unknownPoint(id);
  return point;
}

export function unknownPoint(id: string): HoldfastError {
  return new HoldfastError({
    code: 'point.unknown',
    message: `there is no recovery point ${id}`,
    cause: 'the catalogue has none with this id',
    hint: '`holdfast points list` shows what there is',
  });
}

/** Whoever has its id from an old job or report is told where it went. */
async function refuseRemoved(query: Query, from: string, to: string): Promise<void> {
  const [removed] = await query<{ id: string; at: string; by: string; reason: string }>(
    `select id, removed_at as at, removed_by as by, removed_reason as reason from recovery_points
      where id between $1 and $2 and removed_at is not null limit 1`,
    [from, to],
  );
  if (!removed) return;
  throw new HoldfastError({
    code: 'point.unknown',
    message: `recovery point ${removed.id} is not there any more`,
    cause: `${removed.by} removed it at ${removed.at}: ${removed.reason}`,
    hint: '`holdfast points list` shows what there is',
  });
}

type PointRow = Omit<RecoveryPoint, 'copies'>;

/** The few names first and apart: knowing them, the planner asks an index instead of looking at every point. */
async function assetNames(query: Query, orphaned: boolean): Promise<string[]> {
  const rows = await query<{ name: string }>(
    `select name from assets where (orphaned_at is not null or name not in (${IN_A_POLICY})) = $1`,
    [orphaned],
  );
  return rows.map((row) => row.name);
}

/** Points of an asset that no policy has any more are nobody's: no plan keeps or drops them. */
const IN_A_POLICY = 'select unnest(assets) from policies where is_current';

const COLUMNS = `id, asset, asset_type as "assetType", policy, job_id as "jobId", kind,
  taken_at as "takenAt", method, proof, partial, tags, bytes, added_bytes as "addedBytes", manifest,
  kind <> 'system' and (exists (select from assets where name = point.asset and orphaned_at is not null)
    or asset not in (${IN_A_POLICY})) as orphaned`;

async function withCopies(query: Query, rows: PointRow[]): Promise<RecoveryPoint[]> {
  if (rows.length === 0) return [];
  const copies = await query<PointCopy & { pointId: string }>(
    `select point_id as "pointId", repository, artifact_id as "artifactId", parts,
            stored_at as "storedAt", verified_at as "verifiedAt", proven_at as "provenAt",
            damaged_at as "damagedAt"
       from point_copies where point_id = any ($1) order by stored_at, repository`,
    [rows.map((row) => row.id)],
  );
  const byPoint = grouped(copies, (copy) => copy.pointId);
  return rows.map((row) => ({
    ...row,
    copies: (byPoint.get(row.id) ?? []).map(({ pointId: _, ...copy }) => copy),
  }));
}
