import { ApplicationFailure } from '@temporalio/activity';
import type { Failure } from '../domain/job.ts';
import type { PointStep } from './contract.ts';
import type { Deployment } from './deployment.ts';

type Attempt = Pick<PointStep, 'asset' | 'jobId' | 'point'> & { to: string };

/** What became of sending a point somewhere is on record, for whoever asks why a copy is behind. */
export async function noted<T>(deployment: Deployment, attempt: Attempt, send: () => Promise<T>): Promise<T> {
  const sent = await failureNoted(deployment, attempt, send);
  await note(deployment, attempt, null);
  return sent;
}

/** For what comes before the sending: that it may begin says nothing yet. */
export async function failureNoted<T>(
  deployment: Deployment,
  attempt: Attempt,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = error instanceof ApplicationFailure && (error.details?.[0] as Failure | undefined);
    // What was stopped says nothing; of whom a newer attempt has taken over from, that one says more.
    if (failure && failure.code !== 'fenced') await note(deployment, attempt, failure);
    throw error;
  }
}

async function note(
  { catalog, clock }: Deployment,
  { asset, jobId, point, to }: Attempt,
  error: Failure | null,
): Promise<void> {
  const at = clock().toISOString();
  await catalog.copies.noteAttempt({ asset, repository: to, jobId, pointId: point, at, error });
}
