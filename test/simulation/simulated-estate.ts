// Everything of Holdfast but the tools: real pipelines on a time-skipping server of their own, real steps and a
// real catalogue, over repositories and sources in memory. All of it goes by the server's clock.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { WorkflowClient, type WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { Deployment } from '../../activities/deployment.ts';
import { createProcessFence } from '../../activities/hosts/process-fence.ts';
import { openCatalog, type Catalog } from '../../catalog/index.ts';
import { requestLease, TASK_QUEUE, workflowState } from '../../client/index.ts';
import { parseConfiguration } from '../../domain/configuration/parse.ts';
import type { ScheduledRun } from '../../domain/cadence/scheduled-runs.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { defaultCacheDirectory } from '../../tools/cache.ts';
import { resolveTool } from '../../tools/resolve.ts';
import { stepsOf } from '../../workers/steps-of.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { patiently, quietRuntime } from '../workflows/time-skipping.ts';
import { simulatedRepository, type SimulatedRepository, type Weather } from './simulated-repository.ts';
import { simulatedSource, type Fortune } from './simulated-source.ts';

export interface Estate {
  catalog: Catalog;
  configuration: Configuration;
  environment: TestWorkflowEnvironment;
  repositories: Map<string, SimulatedRepository>;
  /** What the steps and the catalogue take for now. */
  now(): Date;
  /** Skips to this moment; where it is past already, nothing happens. */
  goTo(moment: Date): Promise<void>;
  /** As its Schedule starts it. Returns when it has ended. */
  run(run: ScheduledRun): Promise<void>;
  close(): Promise<void>;
}

export interface EstateOptions {
  catalogUrl: string;
  configuration: string;
  from: Date;
  /** Asked by the server's clock. */
  weather(repository: string, now: Date): void;
  fortune: { isMissing(asset: string, now: Date): boolean; isWrong(asset: string, now: Date): boolean };
  /** By how many milliseconds the clock of the backup host is ahead. The control plane's is right. */
  hostClockAhead(now: Date): number;
}

const HOST_QUEUE = `${TASK_QUEUE}-host-simulated`;
const WORKFLOWS = {
  backup: 'backup',
  sync: 'sync',
  retention: 'retention',
  verify: 'verifyCadence',
} as const;

export async function simulatedEstate(options: EstateOptions): Promise<Estate> {
  const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-quarter-'));
  const environment = await startServer();
  let seen = 0;
  /** In a step, the moment at which this attempt was decided on. */
  const now = () => {
    const step = inStep()?.info.currentAttemptScheduledTimestampMs;
    if (step !== undefined) seen = Math.max(seen, step);
    return new Date(step ?? seen);
  };
  const look = async () => {
    seen = Math.max(seen, await environment.currentTimeMs());
  };
  /** Nothing that is simulated takes an hour. */
  const notMuchLaterThan = (moment: number) => {
    if (seen - moment < 3_600_000) return;
    throw new Error(`the test server's clock went on to ${new Date(seen).toISOString()} by itself`);
  };
  const goTo = async (moment: Date) => {
    await look();
    if (moment.getTime() > seen) await environment.sleep(moment.getTime() - seen);
    await look();
    notMuchLaterThan(moment.getTime());
  };
  await goTo(options.from);

  const catalog = await openCatalog({ url: options.catalogUrl, actor: 'simulation', clock: now });
  const { configuration } = parseConfiguration(options.configuration, {
    file: join(dataDir, 'holdfast.yaml'),
    folder: dataDir,
  });
  const weather: Weather = { reach: (repository) => options.weather(repository, now()) };
  const fortune: Fortune = {
    isMissing: (asset) => options.fortune.isMissing(asset, now()),
    isWrong: (asset) => options.fortune.isWrong(asset, now()),
  };
  const repositories = new Map(
    configuration.repositories.map(({ name }) => [name, simulatedRepository(name, weather)]),
  );
  const deployment: Deployment = {
    catalog,
    processes: createProcessFence(dataDir),
    catalogUrl: '',
    dataDir,
    hostQueue: HOST_QUEUE,
    clock: now,
    openRepository: async (_, name) => repositories.get(name)!,
    sourceOf: () => simulatedSource(fortune),
    leases: {
      ask: ({ repository, ...request }) => requestLease(environment.client, repository, request),
      holderRuns: async (id) => (await workflowState(environment.client, id)) === 'running',
    },
  };
  await catalog.configurations.apply(configuration);
  const hostClock = () => new Date(now().getTime() + options.hostClockAhead(now()));
  const stopWorkers = await startWorkers(environment, deployment, { ...deployment, clock: hostClock });
  const workflows = new WorkflowClient({ connection: environment.connection });
  let runs = 0;
  return {
    catalog,
    configuration,
    environment,
    repositories,
    now,
    goTo,
    run: async ({ id, kind, policy, repository }) => {
      runs += 1;
      const input = { policy, trigger: 'schedule', actor: 'schedule', ...(repository && { repository }) };
      const workflowId = `${id}-${now().toISOString()}-${runs}`;
      const started = { taskQueue: TASK_QUEUE, workflowId, args: [input] };
      const begun = seen;
      await inSlices(environment, await workflows.start(WORKFLOWS[kind], started));
      await look();
      notMuchLaterThan(begun);
    },
    close: async () => {
      await stopWorkers();
      await environment.teardown();
      await catalog.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/**
 * Time passes by a slice and stands still in between. The environment's own client lets it pass until it has heard
 * that the workflow has ended: until then the server goes on to whatever else it has a timer for, and the one that
 * ends a workflow after ten years stays when the workflow has ended.
 */
async function inSlices(environment: TestWorkflowEnvironment, handle: WorkflowHandle): Promise<void> {
  let hasEnded = false;
  const ending = handle.result().finally(() => (hasEnded = true));
  // What it failed with is told below.
  ending.catch(() => undefined);
  while (!hasEnded) await environment.sleep(SLICE_MILLISECONDS);
  await ending;
}

const SLICE_MILLISECONDS = 20_000;

function inStep(): Context | null {
  try {
    return Context.current();
  } catch {
    // Outside of steps there is none.
    return null;
  }
}

async function startServer(): Promise<TestWorkflowEnvironment> {
  quietRuntime();
  const { path } = await resolveTool('temporal-test-server', { install: false });
  const environment = await patiently(() =>
    TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }),
  );
  await environment.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: { HoldfastPolicy: 2, HoldfastAsset: 7, HoldfastJob: 2, HoldfastStatus: 2 },
  });
  return environment;
}

async function startWorkers(
  environment: TestWorkflowEnvironment,
  controlPlane: Deployment,
  backupHost: Deployment,
) {
  const connection = environment.nativeConnection;
  const control = await Worker.create({
    connection,
    taskQueue: TASK_QUEUE,
    workflowBundle: await workflowBundle(defaultCacheDirectory()),
    activities: { ...stepsOf(controlPlane).control },
  });
  const host = await Worker.create({
    connection,
    taskQueue: HOST_QUEUE,
    activities: { ...stepsOf(backupHost).host },
  });
  const running = Promise.all([control.run(), host.run()]);
  return async () => {
    for (const worker of [control, host]) worker.shutdown();
    await running;
  };
}
