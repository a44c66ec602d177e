// The numbers of the leases on repositories. Who may hold one is decided by the lease's workflow; that no two
// ever have the same number, and that the newest is known to whoever wants to delete, is decided here.

import { HoldfastError } from '../domain/errors.ts';
import { stillCounts, type LastFences, type LeaseRequest, type RepositoryFence } from '../domain/lease.ts';
import type { Database, Transaction } from './database.ts';

export interface Leases {
  /**
   * Takes the next number for this grant, higher than `after`. The same key again gets its number again. An
   * exclusive grant goes on the audit chain; shared ones, several a backup, change nothing by themselves.
   */
  grant(lease: LeaseRequest & { repository: string; after: number }): Promise<number>;
  /** Throws `fenced` when the lease does not count any more: see `stillCounts`. */
  assertFence(lease: RepositoryFence): Promise<void>;
  /** A lease that was taken from a holder that is gone. */
  withdrawn(lease: LeaseRequest & { repository: string; fence: number }): Promise<void>;
}

export function leases(database: Database): Leases {
  return {
    grant: (lease) =>
      database.write(`granting a lease on ${lease.repository}`, (transaction) => grant(transaction, lease)),

    assertFence: ({ repository, fence }) =>
      database.read(`checking the lease on ${repository}`, async (query) => {
        const [row] = await query<{ fence: number; exclusive: number; holder: string }>(
          `select fence, exclusive_fence as exclusive, holder from repository_leases where repository = $1`,
          [repository],
        );
        if (row && stillCounts(fence, row)) return;
        throw new HoldfastError({
          code: 'fenced',
          message: `nothing more may be taken away from ${repository} under lease ${fence}`,
          cause: row ? whyNot(fence, row) : 'it was never granted',
          hint: 'nothing need be done: what was left undone is done by the next run',
          retryable: false,
        });
      }),

    withdrawn: ({ repository, holder, mode, fence }) =>
      database.write(`withdrawing a lease on ${repository}`, async ({ audit }) =>
        audit({
          action: 'lease.withdrawn',
          subject: `repository/${repository}`,
          details: { holder, mode, fence },
        }),
      ),
  };
}

function whyNot(fence: number, last: LastFences & { holder: string }): string {
  if (fence > last.fence) return 'it was never granted';
  const isOld = fence < last.exclusive && last.exclusive < last.fence;
  const alone = isOld ? `lease ${last.exclusive} was granted since, to be alone there; ` : '';
  return `${alone}lease ${last.fence} was granted to ${last.holder} since`;
}

async function grant(
  { query, audit, at }: Transaction,
  { repository, key, holder, mode, after }: Parameters<Leases['grant']>[0],
): Promise<number> {
  await query(
    `insert into repository_leases (repository, fence, key, holder, mode, granted_at)
     values ($1, 0, '', '', 'shared', $2) on conflict do nothing`,
    [repository, at],
  );
  const [last] = await query<{ fence: number; key: string }>(
    'select fence, key from repository_leases where repository = $1 for update',
    [repository],
  );
  // The same grant asked for again, its answer being lost; not one that was given back and is asked for anew.
  if (last?.key === key && last.fence > after) return last.fence;
  const fence = Math.max(last?.fence ?? 0, after) + 1;
  await query(
    `update repository_leases set fence = $2, key = $3, holder = $4, mode = $5, granted_at = $6,
            exclusive_fence = case when $5 = 'exclusive' then $2 else exclusive_fence end
      where repository = $1`,
    [repository, fence, key, holder, mode, at],
  );
  if (mode === 'exclusive') {
    audit({ action: 'lease.granted', subject: `repository/${repository}`, details: { holder, mode, fence } });
  }
  return fence;
}
