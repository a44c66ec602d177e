import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  DefaultLogger,
  GracefulShutdownPeriodExpiredError,
  makeTelemetryFilterString,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { defaultCacheDirectory } from '../../tools/cache.ts';
import { resolveTool } from '../../tools/resolve.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { leaseWorkflowId, phase } from '../../workflows/messages.ts';
import { doubledSteps, leaseSteps, QUEUE, wordsOf, type Call, type Script } from './steps-double.ts';

// One time-skipping server and one worker for all tests of the workflows: starting them takes seconds. Time
// is skipped only while a result is waited for, or by `sleep`; its clock is one, so tests run one by one.

export interface Run {
  handle: WorkflowHandle;
  calls: Call[];
  /** Every call in a few words, attempts after the first left out. */
  steps(): string[];
  /** Calls of one step. */
  of(name: Call['name']): Call[];
  phase(): Promise<string>;
  /** Cancels it in Temporal, as anybody with Temporal's own tools can. */
  cancel(): Promise<unknown>;
  /** How the workflow ended; `'cancelled'` where Temporal has it as cancelled. */
  ending<T>(): Promise<T | 'cancelled'>;
}

const runs = new Map<string, { script: Script; calls: Call[] }>();
let started: Promise<{ environment: TestWorkflowEnvironment; stop(): Promise<void> }> | undefined;

/** Starts a workflow whose steps play the script. */
export async function play(workflow: string, input: unknown, script: Script): Promise<Run> {
  const { client } = await timeSkippingServer();
  const workflowId = `${workflow}/${runs.size + 1}`;
  const calls: Call[] = [];
  runs.set(workflowId, { script, calls });
  const handle = await client.workflow.start(workflow, { taskQueue: QUEUE, workflowId, args: [input] });
  return {
    handle,
    calls,
    steps: () =>
      calls.filter(({ name, attempt }) => attempt === 1 && !leaseSteps.includes(name)).map(wordsOf),
    of: (name) => calls.filter((call) => call.name === name),
    phase: () => handle.query(phase),
    cancel: () => handle.cancel(),
    async ending<T>() {
      try {
        return (await handle.result()) as T;
      } catch (error) {
        if (error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure)
          return 'cancelled';
        throw error;
      }
    },
  };
}

/** Lets the queue of a repository run beside the workflows under test. Its steps are kept apart from theirs. */
export function playsLeases(repository: string) {
  const queue = { script: {} as Script, calls: [] as Call[] };
  runs.set(leaseWorkflowId(repository), queue);
  return { ...queue, of: (name: Call['name']) => queue.calls.filter((call) => call.name === name) };
}

/**
 * For tests that let hours pass. The server takes a step that its workflow cancelled, or that was under way
 * when its workflow was terminated, as running for minutes, now and then, and skips no time while one runs.
 */
export async function freshClock(): Promise<void> {
  await stopTimeSkipping();
}

export async function timeSkippingServer(): Promise<TestWorkflowEnvironment> {
  started ??= start();
  return (await started).environment;
}

export async function stopTimeSkipping(): Promise<void> {
  const running = await started;
  started = undefined;
  await running?.stop();
}

/** Polls, for at most a minute. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited for a minute in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A runtime can be installed once in a process. */
export function quietRuntime(): void {
  if (Runtime._instance) return;
  const filter = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' });
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter } },
    shutdownSignals: [],
  });
}

/** The SDK gives the server five seconds, and a busy machine needs longer to start Java. */
export async function patiently<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === 6) throw error;
    }
  }
}

async function start() {
  quietRuntime();
  const { path } = await resolveTool('temporal-test-server', { install: false });
  const environment = await patiently(() =>
    TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path } },
      client: { identity: 'tester' },
    }),
  );
  // Undefined ones fail every workflow task, for ever. KEYWORD is 2 in Temporal's protocol, KEYWORD_LIST 7.
  await environment.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: { HoldfastPolicy: 2, HoldfastAsset: 7, HoldfastJob: 2, HoldfastStatus: 2 },
  });
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: QUEUE,
    identity: 'worker',
    workflowBundle: await workflowBundle(defaultCacheDirectory()),
    activities: doubledSteps((workflowId) => {
      // A restore that a workflow under test begins goes well.
      const child = /^restore\/of-/.test(workflowId) ? { script: {}, calls: [] } : undefined;
      const run = runs.get(workflowId) ?? child;
      if (!run) throw new Error(`no script for ${workflowId}`);
      return run;
    }),
    // A cancel reaches a step with its heartbeat: no test should wait 3 s for it.
    maxHeartbeatThrottleInterval: '100 ms',
    // A step whose test failed may wait for ever.
    shutdownForceTime: '10 s',
  });
  const ended = worker.run();
  return {
    environment,
    async stop() {
      worker.shutdown();
      try {
        await ended;
      } catch (error) {
        if (!(error instanceof GracefulShutdownPeriodExpiredError)) throw error;
      }
      await environment.teardown();
    },
  };
}

// On mocha's root suite: once, after the last test of all files. The recorder has no mocha.
if (typeof globalThis.after === 'function') globalThis.after(stopTimeSkipping);
