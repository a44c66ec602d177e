import { randomUUID } from 'node:crypto';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { HoldfastError, isFailureCode } from '../domain/errors.ts';
import type { Failure } from '../domain/job.ts';
import type { AdoptInput, LookInput, NotifyTestInput } from '../workflows/messages.ts';
import type { adopt } from '../workflows/adopt.ts';
import type { exportKit as exportKitWorkflow } from '../workflows/export-kit.ts';
import type { look } from '../workflows/look.ts';
import type { notifyTest } from '../workflows/notify-test.ts';
import { asking, TASK_QUEUE } from './connection.ts';

/** Short enough that a person waits for it; the worker being away must not look like an endless list. */
const PATIENCE = '5 min';

/** One folder inside a point, without restoring anything. */
export async function lookInside(
  client: Client,
  input: LookInput,
): Promise<Awaited<ReturnType<typeof look>>> {
  return answered(client, 'look', `look/${input.point}-${randomUUID()}`, input);
}

/** Foreign snapshots become points; returns the points' ids. */
export async function adoptSnapshots(
  client: Client,
  input: AdoptInput,
): Promise<Awaited<ReturnType<typeof adopt>>> {
  return answered(client, 'adopt', `adopt/${input.repository}-${randomUUID()}`, input);
}

/** A test message through the channels; what each answered. */
export async function testChannels(
  client: Client,
  input: NotifyTestInput,
): Promise<Awaited<ReturnType<typeof notifyTest>>> {
  return answered(client, 'notifyTest', `notify-test/${input.channel ?? 'all'}-${randomUUID()}`, input);
}

/** Writes the recovery kit; one at a time: whoever comes meanwhile gets that one's answer. */
export async function exportKit(
  client: Client,
  input: Parameters<typeof exportKitWorkflow>[0],
): Promise<Awaited<ReturnType<typeof exportKitWorkflow>>> {
  const id = input.asked ? `kit/${input.kitId}` : 'kit/renewed';
  return answered(client, 'exportKit', id, input);
}

/** Starts it, or joins the one that runs under this id, and waits for its answer. */
export async function answered<T>(
  client: Client,
  type: string,
  workflowId: string,
  input: unknown,
  ends: 'with our patience' | 'by itself' = 'with our patience',
): Promise<T> {
  return asking(`${type} in ${workflowId}`, async () => {
    try {
      return (await client.workflow.execute(type, {
        workflowId,
        taskQueue: TASK_QUEUE,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
        ...(ends === 'with our patience' && { workflowExecutionTimeout: PATIENCE }),
      })) as T;
    } catch (error) {
      const failure = error instanceof WorkflowFailedError ? innermost(error.cause) : null;
      if (failure && isFailureCode(failure.code)) throw new HoldfastError({ ...failure, code: failure.code });
      throw error;
    }
  });
}

function innermost(cause: unknown): Failure | null {
  const failure = cause instanceof ActivityFailure ? cause.cause : cause;
  return failure instanceof ApplicationFailure
    ? ((failure.details?.[0] as Failure | undefined) ?? null)
    : null;
}
