import {
  CancellationScope,
  CancelledFailure,
  isCancellation,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { AssetOutcome, ControlPlanePlan } from '../activities/contract.ts';
import type { Failure, JobStatus } from '../domain/job.ts';
import { leaseHolder, type LeaseHolder } from './lease-holder.ts';
import { phase, type ControlPlaneInput } from './messages.ts';
import { repairFirst } from './repair-first.ts';
import { labelControlPlane } from './search-attributes.ts';
import { controlSteps, failureOf, longSteps } from './steps.ts';

/**
 * The control plane stores itself in one repository: catalogue, configuration, histories, evidence and the audit
 * chain's keys, as a recovery point of its own. It shares the repository with backups and copies, and none of them
 * ever waits for it.
 */
export async function backupControlPlane(
  input: ControlPlaneInput,
): Promise<{ jobId: string; status: JobStatus }> {
  const jobId = input.jobId ?? uuid4();
  const { repository, actor = 'schedule', trigger = 'schedule' } = input;
  const { workflowId } = workflowInfo();
  const leases = leaseHolder({ jobId });
  let now = 'beginning';
  setHandler(phase, () => {
    const waitsFor = leases.waitsFor();
    return waitsFor === null ? now : `waiting for ${waitsFor}`;
  });
  const plan = await CancellationScope.nonCancellable(() =>
    controlSteps(repository).beginControlPlane({ jobId, workflowId, repository, trigger, actor }),
  );
  if (plan.refused) return { jobId, status: 'cancelled' };
  labelControlPlane('running');
  now = `storing the control plane in ${repository}`;
  const outcome: AssetOutcome = { status: 'success', recoveryPointId: null, proof: null, error: null };
  try {
    await controlSteps(repository).beginAsset(stepOf(plan));
    const { point } = await store(leases, plan);
    Object.assign(outcome, point ? { recoveryPointId: point, proof: 'stored' } : { status: 'skipped' });
  } catch (error) {
    if (isCancellation(error) || CancellationScope.current().consideredCancelled) {
      await end(plan, null, 'cancelled', null);
      throw new CancelledFailure('the job was cancelled');
    }
    outcome.status = 'failed';
    outcome.error = failureOf(error);
  }
  const status = outcome.error ? 'failed' : 'success';
  await end(plan, outcome, status, outcome.error);
  return { jobId, status };
}

/** What is damaged there is repaired first: else what was lost would be taken for stored. */
async function store(leases: LeaseHolder, plan: ControlPlanePlan): Promise<{ point: string | null }> {
  const { jobId, configuration, repository, point, hostQueue } = plan;
  await repairFirst(leases, hostQueue, stepOf(plan), repository);
  return leases.hold([repository], 'shared', (fences) =>
    longSteps(hostQueue, `control plane → ${repository}`).storeControlPlane({
      ...{ jobId, configuration, repository, point, fences },
    }),
  );
}

/** A cancel that comes now changes nothing: the job is over. */
async function end(
  plan: ControlPlanePlan,
  outcome: AssetOutcome | null,
  status: JobStatus,
  error: Failure | null,
): Promise<void> {
  const control = controlSteps(plan.repository);
  await CancellationScope.nonCancellable(async () => {
    if (outcome) await control.endAsset({ ...stepOf(plan), outcome });
    await control.endJob({ jobId: plan.jobId, status, error });
  });
  labelControlPlane(status);
}

function stepOf({ jobId, configuration, asset }: ControlPlanePlan) {
  return { jobId, configuration, asset, policy: '' };
}
