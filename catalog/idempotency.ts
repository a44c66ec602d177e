// The same request twice is one job: what a key was first used for is what it answers, until a stated time after
// the job or restore has ended. Then the key is forgotten, and may be used anew.

import { HoldfastError } from '../domain/errors.ts';
import type { Query } from './connection.ts';
import type { Database } from './database.ts';

export interface Idempotency {
  /** What the key was used for; null when it is new. Another request under it: `request.conflict`. */
  find(key: string, requestDigest: string): Promise<IdempotentResult | null>;
  /** The first to claim a key wins; everyone gets the winner's result. */
  claim(key: string, requestDigest: string, result: IdempotentResult): Promise<IdempotentResult>;
  /** Forgets the keys of what ended before this time, or was claimed before it and never begun. How many. */
  forget(endedBefore: string): Promise<number>;
}

export interface IdempotentResult {
  kind: 'job' | 'restore';
  /** A job's id; the `requestId` of a restore, or its own (r-1), as older keys have it. */
  id: string;
}

export function idempotency(database: Database): Idempotency {
  return {
    find: (key, requestDigest) =>
      database.read('looking up an idempotency key', (query) => find(query, key, requestDigest)),

    claim: (key, requestDigest, result) =>
      database.write('claiming an idempotency key', async ({ query }) => {
        await query(
          `insert into idempotency_keys (key, request_digest, result_kind, result_id)
           values ($1, $2, $3, $4) on conflict do nothing`,
          [key, requestDigest, result.kind, result.id],
        );
        return (await find(query, key, requestDigest)) ?? result;
      }),

    forget: (endedBefore) =>
      database.write('forgetting idempotency keys', async ({ query, audit }) => {
        const forgotten = await query<{ key: string }>(FORGET, [endedBefore]);
        if (forgotten.length > 0)
          audit({
            action: 'idempotency.forgotten',
            subject: 'idempotency',
            details: { keys: forgotten.length, endedBefore },
          });
        return forgotten.length;
      }),
  };
}

/** A key is never forgotten while what it began runs: a repeated request would begin it again. */
const FORGET = `
  delete from idempotency_keys as kept
   where created_at < $1
     and not exists (
       select from jobs where kept.result_kind = 'job' and jobs.id::text = kept.result_id
         and (ended_at is null or ended_at >= $1))
     and not exists (
       select from restores where kept.result_kind = 'restore'
         and (request_id = kept.result_id or 'r-' || number = kept.result_id)
         and (ended_at is null or ended_at >= $1))
  returning key`;

async function find(query: Query, key: string, requestDigest: string): Promise<IdempotentResult | null> {
  const [row] = await query<IdempotentResult & { requestDigest: string; shown: string }>(
    `select request_digest as "requestDigest", result_kind as kind, result_id as id,
            coalesce((select 'r-' || number from restores where request_id = result_id), result_id) as shown
       from idempotency_keys where key = $1`,
    [key],
  );
  if (!row) return null;
  if (row.requestDigest === requestDigest) return { kind: row.kind, id: row.id };
  throw new HoldfastError({
    code: 'request.conflict',
    message: `idempotency key ${key} was used for another request`,
    cause: `it belongs to ${row.kind} ${row.shown}`,
    hint: 'use a new key for a new request; repeat the old request unchanged to get its answer. A key is free again some time after what it began has ended (idempotency.keep, 30 days by default)',
  });
}
