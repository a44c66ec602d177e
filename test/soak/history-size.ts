// How much of Temporal a workflow takes up: what its history has in events and bytes, and its largest payload.

import type { Client } from '@temporalio/client';
import protocol from '@temporalio/proto';

export interface HistorySize {
  events: number;
  bytes: number;
  largestPayload: number;
}

/** Of its newest run, and with what that was begun. */
export async function historyOf(
  client: Client,
  workflowId: string,
): Promise<HistorySize & { input: number }> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  const events = history.events ?? [];
  return {
    events: events.length,
    bytes: protocol.temporal.api.history.v1.History.encode(history).finish().length,
    largestPayload: largestPayload(events),
    input: largestPayload(events[0]?.workflowExecutionStartedEventAttributes?.input),
  };
}

/** Events of each of its runs that has continued as new or ended. */
export async function lengthsOf(client: Client, workflowId: string): Promise<number[]> {
  const lengths: number[] = [];
  const query = `WorkflowId = '${workflowId}' and ExecutionStatus != 'Running'`;
  for await (const { historyLength } of client.workflow.list({ query })) lengths.push(historyLength);
  return lengths;
}

function largestPayload(within: unknown): number {
  if (typeof within !== 'object' || within === null || within instanceof Uint8Array) return 0;
  const own = 'data' in within && within.data instanceof Uint8Array ? within.data.length : 0;
  return Object.values(within).reduce((most: number, one) => Math.max(most, largestPayload(one)), own);
}
