// Event histories of jobs and restores that have ended: kept as files by the worker that exported them, their
// digests on the chain, so that the audit outlives what Temporal keeps. Each is recorded once.

import { HoldfastError } from '../domain/errors.ts';
import type { Database, Transaction } from './database.ts';
import { json } from './storable.ts';

export interface EndedRun {
  /** `job/<id>` or `restore/r-1`. */
  subject: string;
  workflowId: string;
}

export interface ArchivedHistory {
  /** SHA-256, hex, of the file's content before it was compressed. */
  digest: string;
  /** Of that content. */
  bytes: number;
  workflowId: string;
  /** Temporal's run ids, oldest first. */
  runs: string[];
  /** The host whose data directory has the file. */
  host: string;
}

export interface Histories {
  /** What has ended and was not looked for yet, oldest first, at most `limit`. */
  due(limit: number): Promise<EndedRun[]>;
  /** false: another worker was first. */
  archived(subject: string, history: ArchivedHistory): Promise<boolean>;
  /** Temporal does not have it any more. */
  unavailable(subject: string, workflowId: string): Promise<boolean>;
}

export function histories(database: Database): Histories {
  const keep = (subject: string, state: string, facts: Record<string, unknown>) =>
    database.write(`recording the history of ${subject}`, (transaction) =>
      keepOnce(transaction, subject, state, facts),
    );
  return {
    due: (limit) =>
      database.read('looking for histories to export', (query) =>
        query<EndedRun>(
          `(select 'job/' || id as subject, workflow_id as "workflowId", ended_at from jobs
             where ended_at is not null and history is null order by ended_at limit $1)
           union all
           (select 'restore/r-' || number, 'restore/r-' || number, ended_at from restores
             where ended_at is not null and history is null order by ended_at limit $1)
           order by ended_at limit $1`,
          [limit],
        ),
      ),

    archived: (subject, history) => keep(subject, 'archived', { ...history }),

    unavailable: (subject, workflowId) => keep(subject, 'unavailable', { workflowId }),
  };
}

async function keepOnce(
  { query, audit }: Transaction,
  subject: string,
  state: string,
  facts: Record<string, unknown>,
): Promise<boolean> {
  const { table, key, id } = placeOf(subject);
  const kept = await query(
    `update ${table} set history = $2 where ${key} = $1 and history is null returning ${key}`,
    [id, json({ state, at: new Date().toISOString(), ...facts })],
  );
  if (kept.length === 0) return false;
  audit({ action: `history.${state}`, subject, details: facts });
  return true;
}

function placeOf(subject: string): { table: string; key: string; id: string | number } {
  const restore = /^restore\/r-(\d{1,15})$/.exec(subject)?.[1];
  if (restore) return { table: 'restores', key: 'number', id: Number(restore) };
  const job = /^job\/(.+)$/.exec(subject)?.[1];
  if (job) return { table: 'jobs', key: 'id', id: job };
  throw unknown(subject);
}

function unknown(subject: string): HoldfastError {
  return new HoldfastError({
    code: 'notFound',
    message: `there is no ${subject.replace('/', ' ')}`,
    cause: 'the catalogue has none with this id',
    hint: '`holdfast jobs list` and `holdfast restore list` show what there is',
  });
}
