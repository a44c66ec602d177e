import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Job } from '../domain/job.ts';
import type {
  BackupInput,
  DrillInput,
  GameDayInput,
  RetentionInput,
  SyncInput,
  VerifyCadenceInput,
  VerifyInput,
} from '../workflows/messages.ts';
import { asking, TASK_QUEUE } from './connection.ts';

type JobKind = 'backup' | 'drill' | 'game-day' | 'sync' | 'verify' | 'verify-due' | 'retention';

/** `backup/critical-2026-11-21T02:00:00.000Z`: the form a Schedule gives its runs too. */
export function jobWorkflowId(type: JobKind, of: string, at: Date): string {
  return `${type}/${of}-${at.toISOString()}`;
}

export async function startBackup(client: Client, workflowId: string, input: BackupInput): Promise<void> {
  await startOnce(client, 'backup', workflowId, input);
}

export async function startDrill(client: Client, workflowId: string, input: DrillInput): Promise<void> {
  await startOnce(client, 'drill', workflowId, input);
}

export async function startGameDay(client: Client, workflowId: string, input: GameDayInput): Promise<void> {
  await startOnce(client, 'gameDay', workflowId, input);
}

export async function startSync(client: Client, workflowId: string, input: SyncInput): Promise<void> {
  await startOnce(client, 'sync', workflowId, input);
}

export async function startRetention(
  client: Client,
  workflowId: string,
  input: RetentionInput,
): Promise<void> {
  await startOnce(client, 'retention', workflowId, input);
}

export async function startVerification(
  client: Client,
  workflowId: string,
  input: VerifyInput,
): Promise<void> {
  await startOnce(client, 'verify', workflowId, input);
}

export async function startCadenceRun(
  client: Client,
  workflowId: string,
  input: VerifyCadenceInput,
): Promise<void> {
  await startOnce(client, 'verifyCadence', workflowId, input);
}

/** Whether a verification is a run of its policy's cadence, begun by its Schedule or by a person with --due. */
export function isCadenceRun({ type, trigger, workflowId }: Job): boolean {
  return type === 'verify' && (trigger === 'schedule' || workflowId.startsWith('verify-due/'));
}

/**
 * Asks the workflow to stop; it ends its tools and records the job as cancelled. False when no such workflow
 * runs: it never started, it is over, or it was terminated and recorded nothing.
 */
export async function cancelJob(client: Client, workflowId: string): Promise<boolean> {
  return asking(`cancelling ${workflowId}`, async () => {
    // A server takes the cancel of a workflow that is over as done.
    if ((await workflowState(client, workflowId)) !== 'running') return false;
    try {
      await client.workflow.getHandle(workflowId).cancel();
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  });
}

/** What Temporal knows of a workflow; null when it knows nothing (its database was lost, or it is long over). */
export async function workflowState(client: Client, workflowId: string): Promise<'running' | 'ended' | null> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' ? 'running' : 'ended';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Starting twice under one id is one start: whoever asks again after a lost answer gets the same workflow. */
export async function startOnce(
  client: Client,
  type: string,
  workflowId: string,
  input: unknown,
): Promise<void> {
  await asking(`starting ${workflowId}`, async () => {
    try {
      await client.workflow.start(type, {
        workflowId,
        taskQueue: TASK_QUEUE,
        args: [input],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        staticSummary: workflowId,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  });
}
