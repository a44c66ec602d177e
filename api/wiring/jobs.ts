import { randomUUID } from 'node:crypto';
import {
  cancelJob,
  jobWorkflowId,
  startBackup,
  startCadenceRun,
  startVerification,
} from '../../client/index.ts';
import type { Catalog } from '../../catalog/index.ts';
import { assetsOf, policyOf } from '../../domain/chosen.ts';
import { asHoldfastError, HoldfastError } from '../../domain/errors.ts';
import type { Job, JobStatus } from '../../domain/job.ts';
import { verificationOf } from '../../domain/verification/policy-plan.ts';
import type { Actor, IdempotencyKey, Once, Services } from '../services.ts';
import type { Parts } from './parts.ts';
import { verificationPlan } from './verification-status.ts';

const OPEN: JobStatus[] = ['running', 'waiting'];

type JobServices = Pick<
  Services,
  'startBackup' | 'startVerification' | 'planVerification' | 'listJobs' | 'getJob' | 'jobEvents' | 'cancelJob'
>;

export function jobServices({ catalog, temporal }: Parts): JobServices {
  return {
    startBackup: (actor, request, key) =>
      startOnce(catalog, actor, key, 'backup', request, (job, assets) =>
        startBackup(temporal, job.workflowId, {
          policy: request.policy,
          assets,
          ...(job.tags.length > 0 && { tags: job.tags }),
          jobId: job.id,
          trigger: 'manual',
          actor: actor.name,
        }),
      ),

    startVerification: (actor, request, key) =>
      request.due
        ? startDue(actor, request.policy, key)
        : startOnce(catalog, actor, key, 'verify', { policy: request.policy, assets: [] }, (job) =>
            startVerification(temporal, job.workflowId, {
              policy: request.policy,
              jobId: job.id,
              actor: actor.name,
              points: request.point === null ? [] : [request.point],
              all: request.all,
            }),
          ),

    planVerification: (policy) => verificationPlan(catalog, policy),

    listJobs: (filter, page) =>
      catalog.jobs.list({
        ...page,
        ...(filter.policy !== null && { policy: filter.policy }),
        ...(filter.asset !== null && { asset: filter.asset }),
        ...(filter.type !== null && { type: filter.type }),
        ...(filter.status !== null && { status: filter.status === 'open' ? OPEN : [filter.status] }),
      }),

    getJob: (id) => catalog.jobs.find(id),

    jobEvents: async (id, page) => catalog.jobEvents.list((await catalog.jobs.find(id)).id, page),

    cancelJob: async (actor, id) => {
      const job = await catalog.jobs.find(id);
      if (job.endedAt !== null) throw alreadyEnded(job);
      await catalog.as(actor.name).audit.append({
        action: 'job.cancelRequested',
        subject: `job/${job.id}`,
        details: { workflowId: job.workflowId },
      });
      if (await cancelJob(temporal, job.workflowId)) return job;
      return endWithoutWorkflow(catalog, actor, job.id);
    },
  };

  /** Refused before a job is begun where nothing can ever be due. */
  async function startDue(actor: Actor, name: string, key: IdempotencyKey | null): Promise<Once<Job>> {
    const applied = await catalog.configurations.current();
    verificationOf(policyOf(applied?.configuration ?? null, name));
    return startOnce(catalog, actor, key, 'verify-due', { policy: name, assets: [] }, (job) =>
      startCadenceRun(temporal, job.workflowId, {
        policy: name,
        jobId: job.id,
        trigger: 'manual',
        actor: actor.name,
      }),
    );
  }
}

/**
 * The key is claimed before the job begins, the job before its workflow: whoever dies in between, the same
 * request finishes it and nothing is begun twice.
 */
export async function startOnce(
  catalog: Catalog,
  actor: Actor,
  key: IdempotencyKey | null,
  kind: 'backup' | 'sync' | 'verify' | 'verify-due' | 'retention',
  request: { policy: string; assets: string[]; tags?: string[]; repository?: string },
  start: (job: Job, assets: string[]) => Promise<void>,
): Promise<Once<Job>> {
  const applied = await catalog.configurations.current();
  const policy = policyOf(applied?.configuration ?? null, request.policy);
  const assets = assetsOf(policy, request.assets);
  const own = randomUUID();
  const claimed = key
    ? await catalog.idempotency.claim(key.key, key.request, { kind: 'job', id: own })
    : null;
  const id = claimed?.id ?? own;
  const repeat = async (before: Job): Promise<Once<Job>> => {
    // Its workflow may never have been started; where it was, this changes nothing.
    if (before.endedAt === null) await start(before, assetsIn(before));
    return { answer: before, repeated: true };
  };
  const before = id === own ? null : await catalog.jobs.find(id).catch(absent);
  if (before) return repeat(before);

  const startedAt = new Date();
  const { repository } = request;
  const workflowId = jobWorkflowId(
    kind,
    repository ? `${policy.name}/${repository}` : policy.name,
    startedAt,
  );
  let job: Job;
  try {
    job = await catalog.as(actor.name).jobs.begin({
      id,
      workflowId,
      type: kind === 'verify-due' ? 'verify' : kind,
      policy: policy.name,
      trigger: 'manual',
      startedAt: startedAt.toISOString(),
      assets,
      ...(request.tags && { tags: request.tags }),
      ...(repository && { repository }),
    });
  } catch (error) {
    // Another request with the key was faster, after we looked: this one is its repetition.
    const begun = claimed ? await catalog.jobs.find(id).catch(absent) : null;
    if (begun) return repeat(begun);
    throw error;
  }
  try {
    await start(job, assets);
  } catch (thrown) {
    const error = asHoldfastError(thrown, `starting ${workflowId} failed`);
    await catalog.jobs.end(job.id, { status: 'failed', error: error.toContract() });
    throw error;
  }
  return { answer: job, repeated: false };
}

function assetsIn(job: Job): string[] {
  return job.assets.map(({ asset }) => asset);
}

/** Nobody is left who would end the row, and as long as it runs the policy's next backup cannot begin. */
async function endWithoutWorkflow(catalog: Catalog, actor: Actor, id: string): Promise<Job> {
  const job = await catalog.jobs.find(id);
  // It ended between the first look and the request to cancel.
  if (job.endedAt !== null) throw alreadyEnded(job);
  return catalog.as(actor.name).jobs.end(id, {
    status: 'cancelled',
    error: {
      code: 'cancelled',
      message: `job ${id} was cancelled without a running workflow`,
      cause: `Temporal runs no ${job.workflowId}: it was terminated there, or never started`,
      hint: 'nothing of it runs any more: start a new job when it is wanted',
    },
  });
}

function absent(error: unknown): null {
  if (error instanceof HoldfastError && error.code === 'notFound') return null;
  throw error;
}

function alreadyEnded(job: Job): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `job ${job.id} cannot be cancelled`,
    cause: `it ended ${job.status} at ${job.endedAt}`,
    hint: `look at it with \`holdfast jobs show ${job.id}\``,
  });
}
