import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { canonicalJson } from '../domain/canonical-json.ts';
import { asking } from './connection.ts';

export interface WorkflowHistory {
  /** Temporal's run ids, oldest first: a workflow may have continued as new. */
  runs: string[];
  /** `{ workflowId, runs: [ { runId, events } ] }`, canonical: the same history always is the same text. */
  content: string;
}

/**
 * The event history of a workflow that has ended, in the form of Temporal's own JSON (enumerations by name, times
 * as RFC 3339), which its tools and a replay read. `running`: it goes on; `unknown`: Temporal does not have it any
 * more.
 */
export async function exportHistory(
  client: Client,
  workflowId: string,
): Promise<WorkflowHistory | 'running' | 'unknown'> {
  return asking(`reading the history of ${workflowId}`, async () => {
    try {
      const { runId, status } = await client.workflow.getHandle(workflowId).describe();
      if (status.name === 'RUNNING') return 'running';
      const runs = await runsUpTo(client, workflowId, runId);
      return {
        runs: runs.map((run) => run.runId),
        content: canonicalJson({ workflowId, runs }),
      };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'unknown';
      throw error;
    }
  });
}

interface Run {
  runId: string;
  events: unknown;
}

async function runsUpTo(client: Client, workflowId: string, last: string): Promise<Run[]> {
  const runs: Run[] = [];
  for (let runId: string | null | undefined = last; runId;) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    runs.unshift({ runId, events: eventsOf(history) });
    runId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
  }
  return runs;
}

/** The SDK's own `historyToJSON` refuses its types where npm installs several copies of protobufjs. */
function eventsOf(history: proto.temporal.api.history.v1.IHistory): unknown {
  const { History } = proto.temporal.api.history.v1;
  const plain = History.toObject(History.fromObject(history), {
    enums: String,
    longs: String,
    bytes: String,
  });
  return withTimes(plain['events'], '');
}

/** Timestamps and durations are written as text; what is neither stays as it is. */
function withTimes(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((item) => withTimes(item, ''));
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.keys(value);
  if (SECONDS.test(key) && parts.every((part) => part === 'seconds' || part === 'nanos')) {
    const { seconds = 0, nanos = 0 } = value as { seconds?: string; nanos?: number };
    return /Time$/.test(key) ? timestamp(Number(seconds), nanos) : duration(seconds, nanos);
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withTimes(inner, name)]));
}

const SECONDS = /(Time|Timeout|Interval|Ttl|Delay|Backoff|Timer|Period|Duration)$/;

function timestamp(seconds: number, nanos: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', `${fraction(nanos)}Z`);
}

function duration(seconds: string | number, nanos: number): string {
  return `${seconds}${fraction(nanos)}s`;
}

function fraction(nanos: number): string {
  return nanos === 0 ? '' : `.${String(nanos).padStart(9, '0')}`;
}
