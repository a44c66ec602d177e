import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { HoldfastError } from '../domain/errors.ts';
import type { RemovePointInput } from '../workflows/messages.ts';
import { startOnce } from './jobs.ts';
import { answered } from './looks.ts';

/** The removal itself has no limit: it may wait for a long backup, and half of it would help nobody. */
const PATIENCE_MILLISECONDS = 5 * 60_000;

/** The same removal has the same id. */
export function removalWorkflowId({ point, repositories }: RemovePointInput): string {
  return `removal/${point}/${repositories.join('+')}`;
}

/** Returns at once. */
export async function startRemoval(client: Client, input: RemovePointInput): Promise<void> {
  await startOnce(client, 'removePoint', removalWorkflowId(input), input);
}

/** Returns when the point is gone from these repositories. The same removal asked twice runs once. */
export async function removePoint(client: Client, input: RemovePointInput): Promise<void> {
  const workflowId = removalWorkflowId(input);
  const stop = new AbortController();
  const outOfPatience = pause(PATIENCE_MILLISECONDS, null, { signal: stop.signal }).then(
    () => Promise.reject(goesOn(input, workflowId)),
    () => undefined,
  );
  try {
    await Promise.race([answered(client, 'removePoint', workflowId, input, 'by itself'), outOfPatience]);
  } finally {
    stop.abort();
  }
}

function goesOn({ point, repositories }: RemovePointInput, workflowId: string): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `the removal of recovery point ${point} has not ended yet; it goes on`,
    cause: `it waits until it is alone in ${repositories.join(', ')}, or forgetting takes its time`,
    hint: `ask again with the same command, or look at ${workflowId} in the Temporal UI`,
  });
}
