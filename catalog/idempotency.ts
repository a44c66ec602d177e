// The same request twice is one job: what a key was first used for is what it answers ever after.

import { HoldfastError } from '../domain/errors.ts';
import type { Query } from './connection.ts';
import type { Database } from './database.ts';

export interface Idempotency {
  /** What the key was used for; null when it is new. Another request under it: `request.conflict`. */
  find(key: string, requestDigest: string): Promise<IdempotentResult | null>;
  /** The first to claim a key wins; everyone gets the winner's result. */
  claim(key: string, requestDigest: string, result: IdempotentResult): Promise<IdempotentResult>;
}

export interface IdempotentResult {
  kind: 'job' | 'restore';
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
  };
}

async function find(query: Query, key: string, requestDigest: string): Promise<IdempotentResult | null> {
  const [row] = await query<IdempotentResult & { requestDigest: string }>(
    `select request_digest as "requestDigest", result_kind as kind, result_id as id
       from idempotency_keys where key = $1`,
    [key],
  );
  if (!row) return null;
  if (row.requestDigest === requestDigest) return { kind: row.kind, id: row.id };
  throw new HoldfastError({
    code: 'request.conflict',
    message: `idempotency key ${key} was used for another request`,
    cause: `it belongs to ${row.kind} ${row.id}`,
    hint: 'use a new key for a new request; repeat the old request unchanged to get its answer',
  });
}
