import { ApplicationFailure } from '@temporalio/activity';
import type { Failure } from '../domain/job.ts';
import type { PointStep } from './contract.ts';
import type { Deployment } from './deployment.ts';

/** What became of sending a point somewhere is on record, for whoever asks why a copy is behind. */
export async function noted<T>(
  { catalog, clock }: Deployment,
  { asset, jobId, point, to }: PointStep & { to: string },
  send: () => Promise<T>,
): Promise<T> {
  const note = (error: Failure | null) =>
    catalog.copies.noteAttempt({
      asset,
      repository: to,
      jobId,
      pointId: point,
      at: clock().toISOString(),
      error,
    });
  let sent: T;
  try {
    sent = await send();
  } catch (error) {
    // What was stopped says nothing.
    if (error instanceof ApplicationFailure) await note((error.details?.[0] as Failure | undefined) ?? null);
    throw error;
  }
  await note(null);
  return sent;
}
