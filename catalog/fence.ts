// Fencing: each attempt at an asset of a job takes a number, and only the newest may write. A worker that was
// frozen and taken for dead finds out here, in the transaction it wanted to write with.

import { HoldfastError } from '../domain/errors.ts';
import type { Fence } from './catalog.ts';
import type { Query } from './connection.ts';

/** Keeps the job's asset locked until the transaction ends, so that nobody takes over in between. */
export async function holdFence(query: Query, fence: Fence): Promise<void> {
  const [row] = await query<{ fence: number }>(
    'select fence from job_assets where job_id = $1 and asset = $2 for update',
    [fence.jobId, fence.asset],
  );
  if (row?.fence === fence.number) return;
  throw new HoldfastError({
    code: 'fenced',
    message: `attempt ${fence.number} at ${fence.asset} in job ${fence.jobId} may not write any more`,
    cause: row ? `attempt ${row.fence} has taken over` : 'the catalogue does not know this job and asset',
    hint: 'nothing need be done: the newer attempt goes on',
  });
}
