import { exitCodeOf, isFailureCode } from '../domain/errors.ts';
import type { ErrorContract, FailureCode } from '../domain/errors.ts';
import type { Failure, Job } from '../domain/job.ts';

/** The graver first; whatever is not here is a plain 1. */
const gravest = [20, 12, 10, 11, 22, 2];

/**
 * A job done in part is 3, unless a proof failed in it: that is 20. A failed one exits by its gravest
 * failure. A cancelled one is 1: it did not do what it was started for; 130 is for whoever stops watching.
 */
export function exitCodeOfJob(job: Job): number {
  switch (job.status) {
    case 'failed':
    case 'cancelled':
      return exitCodeOfFailures(failuresOf(job));
    case 'warning':
      return exitCodeOfFailures(failuresOf(job)) === 20 ? 20 : 3;
    default:
      return 0;
  }
}

export function exitCodeOfFailures(failures: Failure[]): number {
  const codes = failures.map((failure) => (isFailureCode(failure.code) ? exitCodeOf(failure.code) : 1));
  return gravest.find((code) => codes.includes(code)) ?? 1;
}

/** The one error that stands for a job that did not end well; null for one that did. */
export function errorOfJob(job: Job): ErrorContract | null {
  if (job.status === 'cancelled') {
    return {
      code: 'cancelled',
      message: `${nameOf(job)} was cancelled`,
      cause: '',
      hint: `what had been stored stays; run it again when you want it finished`,
    };
  }
  if (job.status !== 'failed' && job.status !== 'warning') return null;
  const failures = failuresOf(job);
  const first = failures.find((failure) => exitCodeOfFailures([failure]) === exitCodeOfFailures(failures));
  const bad = job.assets.filter((asset) => asset.error);
  const extent =
    bad.length === job.assets.length ? 'failed' : `failed for ${bad.length} of ${job.assets.length} assets`;
  const causes = bad.map(
    ({ asset, error }) => `${asset}: ${[error?.message, error?.cause].filter(Boolean).join(': ')}`,
  );
  return {
    code: first && isFailureCode(first.code) ? first.code : ('internal' satisfies FailureCode),
    message: bad.length === 0 && job.error ? job.error.message : `${nameOf(job)} ${extent}`,
    cause: causes.length > 0 ? causes.join('\n') : (job.error?.cause ?? ''),
    hint: first?.hint ?? `look into \`holdfast jobs logs ${job.id}\``,
  };
}

function failuresOf(job: Job): Failure[] {
  return [...job.assets.flatMap(({ error }) => error ?? []), ...(job.error ? [job.error] : [])];
}

function nameOf(job: Job): string {
  return job.policy ? `${job.type} of policy ${job.policy}` : job.type;
}
