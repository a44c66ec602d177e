// Restores, numbered r-1, r-2, … as people speak of them.

import { HoldfastError } from '../domain/errors.ts';
import { isFinal, type Restore, type RestoreStatus } from '../domain/restore.ts';
import type { NewRestore, RestoreChange, Restores } from './catalog.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { limitOf, pageOf, positionOf } from './page.ts';
import { json } from './storable.ts';
import { restoreMay } from './transitions.ts';

export function restores(database: Database): Restores {
  return {
    create: (restore) =>
      database.write(`beginning a restore of ${restore.asset}`, (transaction) =>
        create(transaction, restore),
      ),

    update: (id, change) =>
      database.write(`changing restore ${id}`, (transaction) => update(transaction, id, change)),

    find: (id) => database.read('looking up a restore', (query) => readRestore(query, numberOf(id))),

    list: (request = {}) =>
      database.read('listing restores', async (query) => {
        const limit = limitOf(request);
        const position = positionOf(request.cursor, ['number']);
        const rows = await query<Restore & { number: number }>(
          `select number, ${COLUMNS} from restores
            where ($1::text is null or asset = $1) and ($2::text[] is null or status = any ($2))
              and ($3::bigint is null or number < $3)
            order by number desc limit $4`,
          [request.asset ?? null, request.status ?? null, position?.[0] ?? null, limit + 1],
        );
        const page = pageOf(rows, limit, (row) => [row.number]);
        return { items: page.items.map(({ number: _, ...restore }) => restore), next: page.next };
      }),
  };
}

async function create({ query, audit }: Transaction, restore: NewRestore): Promise<Restore> {
  // Looked for first: a conflict would use up a number.
  await query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`restores/${restore.requestId}`]);
  const [existing] = await query<{ number: number }>('select number from restores where request_id = $1', [
    restore.requestId,
  ]);
  if (existing) return readRestore(query, existing.number);
  const [inserted] = await query<{ number: number }>(
    `insert into restores (request_id, asset, point, point_taken_at, repository, target, include)
     values ($1, $2, $3, $4, $5, $6, $7) returning number`,
    [
      restore.requestId,
      restore.asset,
      restore.point,
      restore.pointTakenAt ?? null,
      restore.repository ?? null,
      restore.target,
      restore.include,
    ],
  );
  const created = await readRestore(query, inserted?.number ?? 0);
  const { asset, point, target, include } = created;
  audit({
    action: 'restore.preparing',
    subject: `restore/${created.id}`,
    details: { asset, point, target, include },
  });
  return created;
}

async function update({ query, audit }: Transaction, id: string, change: RestoreChange): Promise<Restore> {
  const number = numberOf(id);
  await query('select from restores where number = $1 for update', [number]);
  const before = await readRestore(query, number);
  const status = change.status ?? before.status;
  if (isFinal(before.status) && status === before.status) return before;
  if (status !== before.status && !restoreMay(before.status, status))
    throw refused(id, before.status, status);
  const after: Restore = { ...before, ...change };
  const endedAt = isFinal(status) ? (change.endedAt ?? new Date().toISOString()) : null;
  await query(
    `update restores set status = $2, point = $3, point_taken_at = $4, repository = $5, target = $6,
       validation = $7, impact = $8, estimate_seconds = $9, measured_seconds = $10, safety_point_id = $11,
       expires_at = $12, ended_at = $13, error = $14
     where number = $1`,
    [
      number,
      status,
      after.point,
      after.pointTakenAt,
      after.repository,
      after.target,
      json(after.validation),
      json(after.impact),
      after.estimateSeconds,
      after.measuredSeconds,
      after.safetyPointId,
      after.expiresAt,
      endedAt,
      json(after.error),
    ],
  );
  if (status !== before.status) {
    const { asset, point, target, safetyPointId } = after;
    audit({
      action: `restore.${status}`,
      subject: `restore/${id}`,
      details: { asset, point, target, safetyPointId, from: before.status, error: after.error?.code ?? null },
    });
  }
  if (before.repository !== null && after.repository !== before.repository) {
    const { asset, point, repository } = after;
    audit({
      action: 'restore.otherCopy',
      subject: `restore/${id}`,
      details: { asset, point, repository, insteadOf: before.repository },
    });
  }
  return readRestore(query, number);
}

const COLUMNS = `'r-' || number as id, asset, point, point_taken_at as "pointTakenAt", repository, target,
  include, status, validation, impact, estimate_seconds as "estimateSeconds",
  measured_seconds as "measuredSeconds", safety_point_id as "safetyPointId", expires_at as "expiresAt",
  created_at as "createdAt", ended_at as "endedAt", error`;

async function readRestore(query: Query, number: number): Promise<Restore> {
  const [restore] = await query<Restore>(`select ${COLUMNS} from restores where number = $1`, [number]);
  if (!restore) throw unknown(`r-${number}`);
  return restore;
}

function numberOf(id: string): number {
  const number = Number(/^r-(\d{1,15})$/.exec(id)?.[1]);
  if (Number.isNaN(number)) throw unknown(id);
  return number;
}

function unknown(id: string): HoldfastError {
  return new HoldfastError({
    code: 'notFound',
    message: `there is no restore ${id}`,
    cause: 'the catalogue has none with this id; they are named r-1, r-2, …',
    hint: '`holdfast restore list` shows what there is',
  });
}

function refused(id: string, from: RestoreStatus, to: RestoreStatus): HoldfastError {
  return new HoldfastError({
    code: 'restore.state',
    message: `restore ${id} is ${from} and cannot become ${to}`,
    cause: isFinal(from) ? 'it has ended' : `from ${from} there is no way there`,
    hint: isFinal(from)
      ? 'prepare a new one with `holdfast restore prepare`'
      : `see \`holdfast restore show ${id}\``,
  });
}
