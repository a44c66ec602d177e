import { CancellationScope } from '@temporalio/workflow';
import type { BeginJob, JobPlan } from '../activities/contract.ts';
import type { Failure, JobStatus } from '../domain/job.ts';
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

/** A cancel that comes now changes nothing: the job is over, and the catalogue has to know how it went. */
export async function endJob(
  type: 'backup' | 'verify',
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
