import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Client } from '@temporalio/client';
import { folders } from '../activities/deployment.ts';
import { clearRoom } from '../activities/drills/drill-steps.ts';
import { createProcessFence } from '../activities/hosts/process-fence.ts';
import { swapNames } from '../activities/sources/postgres-identifiers.ts';
import type { Catalog } from '../catalog/index.ts';
import {
  isCadenceRun,
  removalWorkflowId,
  restoreWorkflowId,
  startBackup,
  startCadenceRun,
  startControlPlaneBackup,
  startDrill,
  startRemoval,
  startRetention,
  startSync,
  startVerification,
  TASK_QUEUE,
  workflowState,
} from '../client/index.ts';
import type { Asset } from '../domain/configuration/types.ts';
import type { Failure, Job } from '../domain/job.ts';
import type { Restore } from '../domain/restore.ts';
import { mendSchedules } from '../schedules/bring-in-line.ts';

/** Whoever begins a row starts its workflow next: a younger row is theirs. */
const GRACE_MILLISECONDS = 10_000;

/**
 * Law 6: Temporal's database may be gone. The catalogue knows which jobs, restores and removals had not ended; what
 * Temporal does not know of is started again under its old id, or ended with the reason. Doing it again
 * changes nothing.
 */
export async function takeUpWhatWasRunning(client: Client, catalog: Catalog, dataDir: string): Promise<void> {
  const jobs = await catalog.jobs.list({ status: ['running', 'waiting'], limit: 500 });
  const playing = new Set<string>();
  for (const { id, workflowId, type, assets } of jobs.items.filter((job) => isOurs(job.startedAt))) {
    const state = await workflowState(client, workflowId);
    if (state === 'running') {
      if (type === 'drill' && (await catalog.drills.find(id)).gameDay)
        for (const { asset } of assets) playing.add(asset);
      continue;
    }
    // A workflow ends its row before itself: only what the row says after that look counts.
    const job = await catalog.jobs.find(id);
    if (job.endedAt !== null) continue;
    const known = state !== null || (await isGameDay(catalog, job));
    if (!known) await startAgain(client, catalog, job);
    else await endForgotten(catalog, job, dataDir);
  }
  const restores = await catalog.restores.list({
    status: ['preparing', 'prepared', 'committing', 'checking'],
    limit: 500,
  });
  for (const { id, asset } of restores.items.filter((restore) => isOurs(restore.createdAt))) {
    const state = await workflowState(client, restoreWorkflowId(id));
    // A game day that runs begins what it has ordered.
    if (state === 'running' || (state === null && playing.has(asset))) continue;
    const restore = await catalog.restores.find(id);
    if (restore.endedAt === null) await endLostRestore(catalog, restore, dataDir);
  }
  const removals = await catalog.removals.unfinished();
  for (const { begunAt: _, ...removal } of removals.filter(({ begunAt }) => isOurs(begunAt))) {
    // One that failed waits for a person, who ordered it and was told.
    if ((await workflowState(client, removalWorkflowId(removal))) !== null) continue;
    await startRemoval(client, removal);
  }
}

/** The Schedules of the applied configuration, where Temporal lost them or somebody changed them there. */
export async function takeUpSchedules(client: Client, catalog: Catalog): Promise<void> {
  const applied = await catalog.configurations.current();
  if (applied) await mendSchedules(client, TASK_QUEUE, applied.configuration, catalog);
}

function isOurs(begunAt: string): boolean {
  return Date.now() - Date.parse(begunAt) > GRACE_MILLISECONDS;
}

async function startAgain(client: Client, catalog: Catalog, job: Job): Promise<void> {
  const policy = job.policy ?? '';
  const common = { policy, jobId: job.id, actor: 'take-up' };
  const assets = job.assets.map((one) => one.asset);
  if (job.type === 'backup')
    await startBackup(client, job.workflowId, { ...common, trigger: job.trigger, assets });
  if (job.type === 'sync' && job.repository !== null)
    await startSync(client, job.workflowId, {
      ...common,
      trigger: job.trigger,
      repository: job.repository,
    });
  if (job.type === 'drill') {
    const { drill } = await catalog.drills.find(job.id);
    await startDrill(client, job.workflowId, {
      drill,
      drillId: job.id,
      actor: 'take-up',
      trigger: job.trigger,
    });
  }
  if (job.type === 'controlPlane' && job.repository !== null)
    await startControlPlaneBackup(client, job.workflowId, {
      ...{ repository: job.repository, jobId: job.id, actor: 'take-up', trigger: job.trigger },
    });
  if (isCadenceRun(job)) await startCadenceRun(client, job.workflowId, { ...common, trigger: job.trigger });
  else if (job.type === 'verify')
    await startVerification(client, job.workflowId, { ...common, points: [], all: false });
  // What a person confirmed is in the recorded plan; a run that had none yet asks again.
  if (job.type === 'retention')
    await startRetention(client, job.workflowId, { ...common, trigger: job.trigger });
}

async function endForgotten(catalog: Catalog, job: Job, dataDir: string): Promise<void> {
  // The room goes first: the row is what a later pass finds it by, and with the row the holds on its points end.
  if (job.type === 'drill') await clearRoom({ dataDir, processes: createProcessFence(dataDir) }, job.id);
  await catalog.jobs.end(job.id, {
    status: 'failed',
    error: (await isGameDay(catalog, job)) ? await lostGameDay(catalog, job) : forgotten(job),
  });
}

function forgotten(job: Job): Failure {
  return {
    code: 'internal',
    message: `job ${job.id} ended in Temporal without saying how`,
    cause: 'its workflow was terminated, or failed in its own code',
    hint: `look at ${job.workflowId} in the Temporal UI, then run it again`,
  };
}

/** Nobody but a person who confirms it takes a service down: it is never started again. */
async function isGameDay(catalog: Catalog, job: Job): Promise<boolean> {
  return job.type === 'drill' && (await catalog.drills.find(job.id)).gameDay;
}

async function lostGameDay(catalog: Catalog, job: Job): Promise<Failure> {
  const kept: string[] = [];
  for (const { asset } of job.assets) {
    const { items } = await catalog.points.list({ asset, kind: 'safety', limit: 20 });
    const first = items.filter(({ takenAt }) => takenAt >= job.startedAt).at(-1);
    if (first) kept.push(`\`holdfast restore prepare --asset ${asset} --point ${first.id}\``);
  }
  return {
    ...forgotten(job),
    message: `game day ${job.id} was lost: Temporal does not run it any more`,
    cause: 'the service may have been taken down and not all of it brought back',
    hint: `look at it, and at \`holdfast restore list\`; what was there beforehand: ${kept.join(', ') || 'no safety point is known'}`,
  };
}

/**
 * Before its commit a restore touched nothing but its own staging, which goes first: the row is what a later pass
 * finds it by. After it, services may be stopped, and what was there lies beside the target.
 */
async function endLostRestore(catalog: Catalog, restore: Restore, dataDir: string): Promise<void> {
  const committed = restore.status === 'committing' || restore.status === 'checking';
  if (!committed) {
    await rm(folders.restore(dataDir, restore.id), { recursive: true, force: true, maxRetries: 3 });
  }
  await catalog.restores.update(restore.id, {
    status: 'failed',
    endedAt: new Date().toISOString(),
    error: {
      code: 'internal',
      message: `restore ${restore.id} was lost: Temporal does not run it any more`,
      cause: committed ? 'it was being committed' : 'it was not committed; the target was not touched',
      hint: committed ? await afterLostCommit(catalog, restore) : 'prepare it again',
    },
  });
}

async function afterLostCommit(catalog: Catalog, restore: Restore): Promise<string> {
  const applied = await catalog.configurations.current();
  const asset = applied?.configuration.assets.find(({ name }) => name === restore.asset);
  const { stop = [], start = [] } = asset?.restore ?? {};
  const commands = stop.length + start.length > 0;
  return [
    `what was there before is kept in ${keptAside(restore, asset)}, and in the safety point ${restore.safetyPointId ?? '(none)'}`,
    ...(commands
      ? ['what its stop commands stop may be stopped: start it again when the data is right']
      : []),
  ].join('; ');
}

/** The names the swaps of `activities/sources` give what they set aside. */
function keptAside({ id, asset: name, target, include }: Restore, asset: Asset | undefined): string {
  const elsewhere = target === 'in place' ? null : target;
  const files = `.holdfast-${id}-*`;
  if (!asset) return `${files} beside the path of ${name}, or the database *_holdfast_${id}_old`;
  if (asset.type === 'postgres') {
    // The address is a secret, and with it the name it has in place; a long one is shortened.
    return elsewhere === null
      ? `the database *_holdfast_${id}_old on the server of ${name}`
      : `the database ${swapNames(elsewhere, id).previous} on the server of ${name}`;
  }
  const path = elsewhere ?? asset.path;
  if (include.length > 0) return `${files} beside each restored path below ${path}`;
  if (asset.type === 'sqlite') return join(dirname(path), files);
  return `${join(dirname(path), files)}, or ${join(path, files)} where ${path} is a mount point`;
}
