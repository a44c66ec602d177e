import { CancellationScope, CancelledFailure, isCancellation } from '@temporalio/workflow';
import type { BeginJob, JobPlan } from '../activities/contract.ts';
import { statusOfEndedJob, type AssetStatus, type Failure, type JobStatus } from '../domain/job.ts';
import { labelJob } from './search-attributes.ts';
import { controlSteps, failureOf } from './steps.ts';

// A job's row in the catalogue: whatever happens between its begin and its end, it is ended. A row left
// `running` keeps every later backup of its policy from beginning.

/** A cancel waits for the answer: a job that was begun has to be ended. */
export async function beginJob(input: BeginJob): Promise<JobPlan> {
  try {
    return await CancellationScope.nonCancellable(() => controlSteps(input.policy).beginJob(input));
  } catch (error) {
    await endNeverBegun(input, error);
    throw error;
  }
}

/** Whoever asked for the job may have put its row there already; a scheduled run has none to end. */
async function endNeverBegun({ jobId, policy }: BeginJob, error: unknown): Promise<void> {
  const failure = failureOf(error);
  await CancellationScope.nonCancellable(() =>
    controlSteps(policy).endJob({ jobId, status: 'failed', error: failure }),
  ).catch(failureOf);
}

type EndedType = 'backup' | 'sync' | 'verify' | 'retention';

/**
 * Throws when the job was cancelled before every asset was well: a tool that was being stopped may have ended
 * its step with a timeout or an error of its own, and its asset as failed.
 */
export function cancelledUnlessDone(statuses: readonly AssetStatus[]): void {
  if (CancellationScope.current().consideredCancelled && statusOfEndedJob(statuses) !== 'success')
    throw new CancelledFailure('the job was cancelled');
}

/** Ends a job that did not come to its end. Returns what its workflow has to throw. */
export async function endStopped(type: EndedType, plan: JobPlan, error: unknown): Promise<unknown> {
  const cancelled = isCancellation(error) || CancellationScope.current().consideredCancelled;
  await endJob(type, plan, cancelled ? 'cancelled' : 'failed', cancelled ? null : failureOf(error));
  return cancelled && !isCancellation(error) ? new CancelledFailure('the job was cancelled') : error;
}

/** A cancel that comes now changes nothing: the job is over, and the catalogue has to know how it went. */
export async function endJob(
  type: EndedType,
  plan: JobPlan,
  status: JobStatus,
  error: Failure | null,
): Promise<{ jobId: string; status: JobStatus }> {
  await CancellationScope.nonCancellable(() =>
    controlSteps(plan.policy).endJob({ jobId: plan.jobId, status, error }),
  );
  labelJob(type, plan.policy, assetsOf(plan), status);
  return { jobId: plan.jobId, status };
}

export function assetsOf(plan: JobPlan): string[] {
  return plan.sites.flatMap((site) => site.assets);
}
