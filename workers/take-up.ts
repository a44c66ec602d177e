import type { Client } from '@temporalio/client';
import type { Catalog } from '../catalog/index.ts';
import {
  restoreWorkflowId,
  startBackup,
  startVerification,
  TASK_QUEUE,
  workflowState,
} from '../client/index.ts';
import type { Job } from '../domain/job.ts';
import type { Restore } from '../domain/restore.ts';
import { reconcileSchedules } from '../schedules/reconcile.ts';

/** Whoever begins a row starts its workflow next: a younger row is theirs. */
const GRACE_MILLISECONDS = 10_000;

/**
 * Law 6: Temporal's database may be gone. The catalogue knows which jobs and restores had not ended; what
 * Temporal does not know of is started again under its old id, or ended with the reason. Doing it again
 * changes nothing.
 */
export async function takeUpWhatWasRunning(client: Client, catalog: Catalog): Promise<void> {
  const jobs = await catalog.jobs.list({ status: ['running', 'waiting'], limit: 500 });
  for (const { id, workflowId } of jobs.items.filter((job) => isOurs(job.startedAt))) {
    const state = await workflowState(client, workflowId);
    if (state === 'running') continue;
    // A workflow ends its row before itself: only what the row says after that look counts.
    const job = await catalog.jobs.find(id);
    if (job.endedAt !== null) continue;
    if (state === null) await startAgain(client, job);
    else await endForgotten(catalog, job);
  }
  const restores = await catalog.restores.list({
    status: ['preparing', 'prepared', 'committing', 'checking'],
    limit: 500,
  });
  for (const { id } of restores.items.filter((restore) => isOurs(restore.createdAt))) {
    if ((await workflowState(client, restoreWorkflowId(id))) === 'running') continue;
    const restore = await catalog.restores.find(id);
    if (restore.endedAt === null) await endLostRestore(catalog, restore);
  }
}

/** The Schedules of the applied policies, where Temporal lost them. */
export async function takeUpSchedules(client: Client, catalog: Catalog): Promise<void> {
  const applied = await catalog.configurations.current();
  if (applied) await reconcileSchedules(client, TASK_QUEUE, applied.configuration.policies, []);
}

function isOurs(begunAt: string): boolean {
  return Date.now() - Date.parse(begunAt) > GRACE_MILLISECONDS;
}

async function startAgain(client: Client, job: Job): Promise<void> {
  const policy = job.policy ?? '';
  const common = { policy, jobId: job.id, actor: 'take-up' };
  const assets = job.assets.map((one) => one.asset);
  if (job.type === 'backup')
    await startBackup(client, job.workflowId, { ...common, trigger: job.trigger, assets });
  if (job.type === 'verify')
    await startVerification(client, job.workflowId, { ...common, points: [], all: false });
}

async function endForgotten(catalog: Catalog, job: Job): Promise<void> {
  await catalog.jobs.end(job.id, {
    status: 'failed',
    error: {
      code: 'internal',
      message: `job ${job.id} ended in Temporal without saying how`,
      cause: 'its workflow was terminated, or failed in its own code',
      hint: `look at ${job.workflowId} in the Temporal UI, then run it again`,
    },
  });
}

/** Before its commit a restore touched nothing. After it, what was there lies beside the target. */
async function endLostRestore(catalog: Catalog, restore: Restore): Promise<void> {
  const committed = restore.status === 'committing' || restore.status === 'checking';
  await catalog.restores.update(restore.id, {
    status: 'failed',
    endedAt: new Date().toISOString(),
    error: {
      code: 'internal',
      message: `restore ${restore.id} was lost with Temporal's database`,
      cause: committed ? 'it was being committed' : 'it was not committed; the target was not touched',
      hint: committed
        ? `look for .holdfast-${restore.id}-* beside ${restore.target}: what was there before is kept in it, and in the safety point ${restore.safetyPointId ?? '(none)'}`
        : 'prepare it again',
    },
  });
}
