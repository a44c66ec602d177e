import { dueBetween } from '../domain/cadence/due-between.ts';
import { scheduledRunsOf } from '../domain/cadence/scheduled-runs.ts';
import { formatDuration } from '../domain/duration.ts';
import type { Job } from '../domain/job.ts';
import type { Deployment } from './deployment.ts';

/**
 * Temporal leaves out in silence what comes due while the run before goes on: here it is said, in the job's events
 * and on the audit chain. For a job that is about to end.
 */
export async function sayWhatWasLeftOut({ catalog }: Deployment, job: Job, now: Date): Promise<void> {
  if (job.endedAt !== null || job.type !== 'backup' || job.policy === null) return;
  const applied = await catalog.configurations.current();
  const policy = applied?.configuration.policies.find(({ name }) => name === job.policy);
  const [run] = policy ? scheduledRunsOf(policy) : [];
  if (!run || run.overlap !== 'skip') return;
  const missed = dueBetween(run, new Date(job.startedAt), now).length;
  if (missed === 0) return;
  const took = formatDuration((now.getTime() - Date.parse(job.startedAt)) / 1000);
  const because = `job ${job.id} took ${took}: ${missed === 1 ? 'a run that came' : `${missed} runs that came`} due meanwhile ${missed === 1 ? 'was' : 'were'} left out`;
  await catalog.jobEvents.append(job.id, [
    { at: now.toISOString(), level: 'warning', asset: null, step: 'schedule', message: because },
  ]);
  await catalog.audit.append({
    action: 'job.skipped',
    subject: `policy/${job.policy}`,
    details: { policy: job.policy, workflowId: job.workflowId, missed, because },
  });
}
