import type { Client } from '@temporalio/client';
import type { LeaseRequest } from '../domain/lease.ts';
import { askForLease, leaseWorkflowId, type LeaseInput } from '../workflows/messages.ts';
import { TASK_QUEUE } from './connection.ts';

/** Puts a request into the repository's queue, which begins with the first one. Asking again changes nothing. */
export async function requestLease(client: Client, repository: string, request: LeaseRequest): Promise<void> {
  const { key, holder, mode, urgent } = request;
  await client.workflow.signalWithStart('lease', {
    workflowId: leaseWorkflowId(repository),
    taskQueue: TASK_QUEUE,
    args: [{ repository } satisfies LeaseInput],
    signal: askForLease,
    signalArgs: [{ key, holder, mode, ...(urgent && { urgent }) }],
    staticSummary: `who may work in ${repository}`,
  });
}
