import { hostname } from 'node:os';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Deployment } from '../activities/deployment.ts';
import { createProcessFence } from '../activities/hosts/process-fence.ts';
import { openRepository } from '../activities/repositories/open.ts';
import { createSources } from '../activities/sources/index.ts';
import type { Catalog } from '../catalog/index.ts';
import { connect, requestLease, TASK_QUEUE, workflowState, type TemporalAddress } from '../client/index.ts';
import { stepsOf } from './steps-of.ts';

/** Uploads share one line and one disk: more at once makes each of them slower, not all of them faster. */
const HOST_STEPS_AT_ONCE = 4;

export interface WorkerOptions {
  temporal: TemporalAddress;
  catalog: Catalog;
  /** As `catalog` was opened with. */
  catalogUrl: string;
  dataDir: string;
  host: string;
  bundle: { codePath: string };
  metricsPort: number | null;
}

/** Runs until `shutdown` is called; what is under way then has the grace time to end, and is taken up later. */
export async function startWorker(options: WorkerOptions) {
  Runtime.install({
    logger: new DefaultLogger('WARN'),
    ...(options.metricsPort !== null && {
      telemetryOptions: { metrics: { prometheus: { bindAddress: `127.0.0.1:${options.metricsPort}` } } },
    }),
    shutdownSignals: [],
  });
  const connection = await NativeConnection.connect({ address: options.temporal.address });
  const deployment = createDeployment(options);
  const steps = stepsOf(deployment);
  const common = {
    connection,
    namespace: options.temporal.namespace,
    identity: `${process.pid}@${hostname()}`,
    shutdownGraceTime: '5 s',
  } as const;
  const control = await Worker.create({
    ...common,
    taskQueue: TASK_QUEUE,
    workflowBundle: options.bundle,
    activities: { ...steps.control },
    maxCachedWorkflows: 100,
    maxConcurrentActivityTaskExecutions: 50,
  });
  const host = await Worker.create({
    ...common,
    taskQueue: deployment.hostQueue,
    activities: { ...steps.host },
    maxConcurrentActivityTaskExecutions: HOST_STEPS_AT_ONCE,
  });
  const running = Promise.all([control.run(), host.run()]);
  return {
    /** Rejects when a worker fails for good. */
    ended: running.then(() => connection.close()),
    shutdown() {
      for (const worker of [control, host]) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}

function createDeployment(options: WorkerOptions): Deployment {
  return {
    catalog: options.catalog,
    catalogUrl: options.catalogUrl,
    processes: createProcessFence(options.dataDir),
    dataDir: options.dataDir,
    hostQueue: `${TASK_QUEUE}-host-${options.host}`,
    openRepository,
    sourceOf: createSources(options.dataDir),
    leases: leasesOn(options.temporal),
    clock: () => new Date(),
  };
}

function leasesOn(temporal: TemporalAddress): Deployment['leases'] {
  const client = connect(temporal);
  return {
    ask: ({ repository, ...request }) => requestLease(client, repository, request),
    holderRuns: async (workflowId) => (await workflowState(client, workflowId)) === 'running',
  };
}
