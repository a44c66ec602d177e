import { CancellationScope, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import type { AssetOutcome, JobPlan, RetentionStep } from '../activities/contract.ts';
import type { Failure, JobStatus } from '../domain/job.ts';
import { assetsOf, beginJob, cancelledUnlessDone, endJob, endStopped } from './job-row.ts';
import { leaseHolder } from './lease-holder.ts';
import { phase, type RetentionInput } from './messages.ts';
import { untilOpen } from './window.ts';
import { labelJob } from './search-attributes.ts';
import { controlSteps, failureOf, longSteps } from './steps.ts';

/**
 * Takes away what a policy's retention does not keep, in each of its repositories: alone there, by a plan that
 * is recorded with its reasons before anything goes. A plan that cannot be believed stops its repository.
 */
export async function retention(input: RetentionInput): Promise<{ jobId: string; status: JobStatus }> {
  const jobId = input.jobId ?? uuid4();
  const actor = input.actor ?? 'schedule';
  const leases = leaseHolder({ jobId });
  let now = 'beginning';
  setHandler(phase, () => {
    const waitsFor = leases.waitsFor();
    return waitsFor === null ? now : `waiting for ${waitsFor}`;
  });
  now = 'waiting for its window';
  await untilOpen(input.window);
  now = 'beginning';
  const plan = await beginJob({
    jobId,
    workflowId: workflowInfo().workflowId,
    type: 'retention',
    policy: input.policy,
    trigger: input.trigger ?? 'schedule',
    actor,
    assets: [],
  });
  if (plan.refused) return { jobId: plan.jobId, status: 'cancelled' };
  labelJob('retention', plan.policy, assetsOf(plan), 'running');

  let failure: Failure | null = null;
  try {
    for (const asset of dueAssets(plan)) await controlSteps(asset).beginAsset({ ...scopeOf(plan), asset });
    for (const repository of [plan.repository, ...plan.copies]) {
      try {
        await leases.hold([repository], 'exclusive', async ([lease]) => {
          const step = { ...scopeOf(plan), repository, fence: lease?.fence ?? 0 };
          await retain(plan, step, { confirm: input.confirm ?? false, actor }, (doing) => {
            now = `${doing} in ${repository}`;
          });
        });
      } catch (error) {
        // The other repositories have their own points, and their own reasons.
        failure ??= failureOf(error);
      }
    }
    const status = failure ? 'failed' : 'success';
    cancelledUnlessDone([status]);
    await endAssets(plan, { status, recoveryPointId: null, proof: null, error: failure });
  } catch (error) {
    throw await endStopped('retention', plan, error);
  }
  return endJob('retention', plan, failure ? 'failed' : 'success', failure);
}

async function retain(
  plan: JobPlan,
  step: RetentionStep,
  who: { confirm: boolean; actor: string },
  become: (doing: string) => void,
): Promise<void> {
  const hostQueue = plan.sites[0]?.hostQueue ?? (await controlSteps(step.repository).hostOf());
  const steps = longSteps(hostQueue, `${plan.policy} in ${step.repository}`);
  become('planning');
  const { leftovers, there } = await steps.planRetention({ ...step, ...who });
  if (!there) return;
  become('forgetting');
  await steps.forgetPlanned({ ...step, leftovers });
  become('pruning');
  const sizes = await steps.pruneRepository(step);
  become('checking');
  await steps.checkRepository({ ...step, ...sizes });
}

async function endAssets(plan: JobPlan, outcome: AssetOutcome): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    for (const asset of dueAssets(plan))
      await controlSteps(asset).endAsset({ ...scopeOf(plan), asset, outcome });
  });
}

/** Begun again after Temporal lost it, some may have ended. */
function dueAssets(plan: JobPlan): string[] {
  return assetsOf(plan).filter((asset) => plan.ended?.[asset] === undefined);
}

function scopeOf(plan: JobPlan) {
  return { jobId: plan.jobId, configuration: plan.configuration, policy: plan.policy };
}
