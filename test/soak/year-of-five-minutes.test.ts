import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { JobPlan } from '../../activities/contract.ts';
import { requestLease, TASK_QUEUE } from '../../client/index.ts';
import { defaultCacheDirectory } from '../../tools/cache.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { leaseHolders, leaseWorkflowId } from '../../workflows/messages.ts';
import { startTemporal, type TestTemporal } from '../fixtures/temporal-server.ts';
import { doubledSteps, planned, type Call, type Script } from '../workflows/steps-double.ts';
import { quietRuntime } from '../workflows/time-skipping.ts';
import { historyOf, lengthsOf, type HistorySize } from './history-size.ts';
import { wanted } from './wanted.ts';

// What a year of runs leaves in Temporal and in a worker. Its runs follow each other at once, on the server that `up`
// starts: the time-skipping one never asks a workflow to continue as new. Their steps are doubles. Only one run an
// hour is copied and read back: that halves the time it takes.

const days = wanted('HOLDFAST_SOAK_YEAR_DAYS', 365);
const RUNS_AN_HOUR = 60 / 5;
const RUNS_A_DAY = 24 * RUNS_AN_HOUR;
const runs = Math.round(days * RUNS_A_DAY);
/** They share the repositories, so that some wait for others. Each has one run at a time. */
const POLICIES = 4;
const REPOSITORIES = ['near', 'far'] as const;
const MIB = 2 ** 20;
/** Temporal suggests to continue as new at 4096 events; what is under way then adds a few. */
const EVENTS = 4500;

interface Quarter {
  heap: number;
  resident: number;
  backup: HistorySize;
  /** Events in the longest history of a repository's queue. */
  queue: number;
  /** Bytes that a queue goes on with when it continues as new. */
  carriedOver: number;
}

describe(`a backup every five minutes for ${days} days: ${runs} runs`, () => {
  let temporal: TestTemporal;
  let client: Client;
  let connection: NativeConnection;
  let stopWorker: () => Promise<void>;
  const quarters: Quarter[] = [];
  let begun = 0;
  let retentions = 0;

  before(async () => {
    quietRuntime();
    temporal = await startTemporal();
    client = temporal.client;
    connection = await NativeConnection.connect({ address: temporal.address });
    const script: Script = {
      beginJob: (input) => planned(isShort(input.workflowId) ? SHORT : WHOLE)(input),
      askForLease: ({ repository, ...request }) => requestLease(client, repository, request),
    };
    const worker = await Worker.create({
      connection,
      taskQueue: TASK_QUEUE,
      workflowBundle: await workflowBundle(defaultCacheDirectory()),
      maxCachedWorkflows: 100,
      activities: doubledSteps(() => ({ script, calls: [] as Call[] })),
    });
    const running = worker.run();
    stopWorker = async () => {
      worker.shutdown();
      await running;
    };
  });
  after(async () => {
    await stopWorker?.();
    await connection?.close();
    await temporal?.dispose();
  });

  it('is gone through, and every lease was given back', async () => {
    for (let quarter = 1; quarter <= 4; quarter += 1) {
      const until = Math.round((runs * quarter) / 4);
      await Promise.all(Array.from({ length: POLICIES }, (_, policy) => runPolicy(policy, until)));
      quarters.push(await look());
      process.stdout.write(`      after ${begun} runs: ${JSON.stringify(quarters.at(-1))}\n`);
    }
    const copied = Math.floor(runs / RUNS_AN_HOUR);
    // Taken to store and to copy in one, to copy and to read in the other.
    const taken = { near: runs + copied + retentions, far: 2 * copied + retentions };
    for (const repository of REPOSITORIES) {
      const state = await client.workflow.getHandle(leaseWorkflowId(repository)).query(leaseHolders);
      assert.deepEqual(state, { held: [], waiting: [], lastFence: taken[repository] });
    }
  });

  it('with no history that grows: the queues of the repositories begin anew', async () => {
    const lengths = await Promise.all(REPOSITORIES.map((name) => lengthsOf(client, leaseWorkflowId(name))));
    process.stdout.write(`      histories of the queues that have ended: ${JSON.stringify(lengths)}\n`);
    const longest = Math.max(...lengths.flat(), ...quarters.map(({ queue }) => queue));
    assert.ok(longest < EVENTS, `${longest} events in a history`);
    const [first, last] = [quarters[0]!, quarters.at(-1)!];
    assert.ok(
      last.backup.events <= first.backup.events + FEW_EVENTS,
      'a backup takes more steps than at first',
    );
    assert.ok(last.backup.bytes <= first.backup.bytes * 1.2, 'the history of a backup has grown');
  });

  it('with no payload that grows', () => {
    for (const { backup, carriedOver } of quarters) {
      assert.ok(backup.largestPayload <= 2048, `a payload of ${backup.largestPayload} bytes in a backup`);
      assert.ok(carriedOver <= 2048, `${carriedOver} bytes carried over by a queue`);
    }
  });

  it('with no memory that grows', () => {
    const [first, last] = [quarters[0]!, quarters.at(-1)!];
    assert.ok(last.heap <= first.heap * 1.1 + 4 * MIB, `from ${first.heap} to ${last.heap} bytes of heap`);
    assert.ok(
      last.resident <= first.resident * 1.2 + 64 * MIB,
      `from ${first.resident} to ${last.resident} bytes resident`,
    );
  });

  /** Takes runs of the year until so many were begun, and with the first of each day its daily ones. */
  async function runPolicy(policy: number, until: number): Promise<void> {
    const name = `policy-${policy}`;
    const input = { policy: name, trigger: 'schedule', actor: 'schedule' };
    const execute = (workflow: string, workflowId: string) =>
      client.workflow.execute(workflow, { taskQueue: TASK_QUEUE, workflowId, args: [input] });
    while (begun < until) {
      const run = (begun += 1);
      const { status } = await execute('backup', backupId(run));
      assert.equal(status, 'success');
      if (run % RUNS_A_DAY !== 1) continue;
      retentions += 1;
      await execute('retention', `retention/year-${run}`);
      await execute('verifyCadence', `verify/year-${run}`);
    }
  }

  async function look(): Promise<Quarter> {
    const backup = await historyOf(client, backupId(begun - (begun % RUNS_AN_HOUR)));
    const leases = await Promise.all(REPOSITORIES.map((name) => historyOf(client, leaseWorkflowId(name))));
    collectGarbage();
    const { heapUsed, rss } = process.memoryUsage();
    const queue = Math.max(...leases.map(({ events }) => events));
    const carriedOver = Math.max(...leases.map(({ input }) => input));
    return { heap: heapUsed, resident: rss, backup, queue, carriedOver };
  }
});

/** Steps tried again, on a busy machine. */
const FEW_EVENTS = 30;

function backupId(run: number): string {
  return `backup/year-${run}`;
}

/** The others are those of retention and verification, and one backup an hour. */
function isShort(workflowId: string): boolean {
  return workflowId.startsWith('backup/') && Number(workflowId.split('-').at(-1)) % RUNS_AN_HOUR !== 0;
}

const SHORT: Partial<JobPlan> = {
  sites: [{ site: 'local', hostQueue: TASK_QUEUE, assets: ['orders'] }],
  repository: 'near',
};

const WHOLE: Partial<JobPlan> = { ...SHORT, copies: ['far'], proof: 'verified' };

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round += 1) collect();
}
