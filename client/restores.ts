import { WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { HoldfastError, isFailureCode } from '../domain/errors.ts';
import type { Failure } from '../domain/job.ts';
import { cancel, commit, type RestoreInput } from '../workflows/messages.ts';
import { asking } from './connection.ts';
import { startOnce } from './jobs.ts';

export function restoreWorkflowId(restoreId: string): string {
  return `restore/${restoreId}`;
}

export async function startRestore(client: Client, input: RestoreInput): Promise<void> {
  await startOnce(client, 'restore', restoreWorkflowId(input.restoreId), input);
}

/** Returns when the commit is accepted; the swap goes on. Throws `restore.state` when it is not. */
export async function commitRestore(client: Client, restoreId: string): Promise<void> {
  const handle = client.workflow.getHandle(restoreWorkflowId(restoreId));
  await deciding(restoreId, 'commit', () => handle.executeUpdate(commit));
}

export async function cancelRestore(client: Client, restoreId: string): Promise<void> {
  const handle = client.workflow.getHandle(restoreWorkflowId(restoreId));
  await deciding(restoreId, 'cancel', () => handle.executeUpdate(cancel));
}

async function deciding(restoreId: string, wish: string, work: () => Promise<void>): Promise<void> {
  await asking(`${wish} of restore ${restoreId}`, async () => {
    try {
      await work();
    } catch (error) {
      const refusal = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
      const contract =
        refusal instanceof ApplicationFailure ? (refusal.details?.[0] as Failure | undefined) : undefined;
      if (contract && isFailureCode(contract.code))
        throw new HoldfastError({ ...contract, code: contract.code });
      throw error;
    }
  });
}
