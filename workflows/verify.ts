import { CancellationScope, patched, setHandler, workflowInfo } from '@temporalio/workflow';
import type { AssetOutcome, JobPlan, VerifyTarget } from '../activities/contract.ts';
import { statusOfEndedJob, type AssetStatus, type Failure, type JobStatus } from '../domain/job.ts';
import type { Proof } from '../domain/proof.ts';
import { assetsOf, beginJob, cancelledUnlessDone, endJob, endStopped } from './job-row.ts';
import { leaseHolder, type LeaseHolder } from './lease-holder.ts';
import { phase, type VerifyInput } from './messages.ts';
import { labelJob } from './search-attributes.ts';
import { controlSteps, failureOf, longSteps } from './steps.ts';

/**
 * Reads back every byte of points already stored, in each repository that holds them, and rehearses the
 * newest where the policy asks for `proven`. Damage is recorded on every point it hurts.
 */
export async function verify(input: VerifyInput): Promise<{ jobId: string; status: JobStatus }> {
  const leases = leaseHolder({ jobId: input.jobId, unleased: !patched('lease') });
  let now = 'beginning';
  setHandler(phase, () => {
    const waitsFor = leases.waitsFor();
    return waitsFor === null ? now : `waiting for ${waitsFor}`;
  });
  const control = controlSteps(input.policy);
  const plan = await beginJob({
    jobId: input.jobId,
    workflowId: workflowInfo().workflowId,
    type: 'verify',
    policy: input.policy,
    trigger: 'manual',
    actor: input.actor,
    assets: [],
  });
  if (plan.refused) return { jobId: plan.jobId, status: 'cancelled' };
  labelJob('verify', plan.policy, assetsOf(plan), 'running');
  const statuses: AssetStatus[] = [];
  try {
    const targets = await control.pointsToVerify({ ...scopeOf(plan), points: input.points, all: input.all });
    for (const site of plan.sites) {
      for (const asset of site.assets) {
        now = `verifying ${asset}`;
        const points = targets.filter((target) => target.asset === asset);
        statuses.push(
          plan.ended?.[asset] ?? (await verifyAsset(leases, plan, site.hostQueue, asset, points)),
        );
      }
    }
    cancelledUnlessDone(statuses);
  } catch (error) {
    throw await endStopped('verify', plan, error);
  }
  return endJob('verify', plan, statusOfEndedJob(statuses), null);
}

/** Every copy is read although an earlier one was damaged: the reader needs the whole extent. */
async function verifyAsset(
  leases: LeaseHolder,
  plan: JobPlan,
  hostQueue: string,
  asset: string,
  targets: VerifyTarget[],
): Promise<AssetStatus> {
  const step = { ...scopeOf(plan), asset };
  await controlSteps(asset).beginAsset(step);
  let error: Failure | null = null;
  let proof: Proof | null = null;
  for (const { repository, points, every, rehearse } of targets) {
    const steps = longSteps(hostQueue, `${asset} from ${repository}`);
    try {
      await leases.hold([repository], 'shared', async () => {
        const what = every ? { points: [], every } : { points };
        await steps.verifyPoints({ ...step, ...what, repository });
        proof ??= 'verified';
        if (rehearse === null) return;
        await steps.provePoint({ ...step, point: rehearse, repository });
        proof = 'proven';
      });
    } catch (caught) {
      error ??= failureOf(caught);
    }
  }
  const status: AssetStatus = targets.length === 0 ? 'skipped' : error ? 'failed' : 'success';
  const outcome: AssetOutcome = { status, recoveryPointId: targets[0]?.points[0] ?? null, proof, error };
  await CancellationScope.nonCancellable(() => controlSteps(asset).endAsset({ ...step, outcome }));
  return status;
}

function scopeOf(plan: JobPlan) {
  return { jobId: plan.jobId, configuration: plan.configuration, policy: plan.policy };
}
