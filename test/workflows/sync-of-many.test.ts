import assert from 'node:assert/strict';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { DueCopy } from '../../activities/contract.ts';
import { defaultCacheDirectory } from '../../tools/cache.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { startTemporal, type TestTemporal } from '../fixtures/temporal-server.ts';
import { doubledSteps, planned, QUEUE, type Call, type Script } from './steps-double.ts';
import { quietRuntime } from './time-skipping.ts';

// A real Temporal server: the time-skipping one never finds a history long.

describe('a sync of very many points', function () {
  this.timeout(240_000);
  let temporal: TestTemporal;
  before(async () => {
    quietRuntime();
    temporal = await startTemporal();
  });
  after(() => temporal.dispose());

  it('goes on in a new run as the same job, and knows what the one before did', async () => {
    const calls: Call[] = [];
    const sent: string[] = [];
    // What is of no asset of the job is passed over, and fills the history.
    let large = 6;
    const filling = (): DueCopy[] => (large-- > 0 ? [{ asset: 'nobody', point: 'x'.repeat(1_000_000) }] : []);
    const script: Script = {
      beginJob: planned({ assets: ['orders', 'uploads'] }),
      planSync: async () => (sent.length === 0 ? [{ asset: 'orders', point: 'new' }] : filling()),
      copyPoint: async ({ point }) => void sent.push(point),
    };
    const connection = await NativeConnection.connect({ address: temporal.address });
    const worker = await Worker.create({
      connection,
      taskQueue: QUEUE,
      workflowBundle: await workflowBundle(defaultCacheDirectory()),
      activities: doubledSteps((id) => (id === 'sync/many' ? { script, calls } : { script: {}, calls: [] })),
    });
    await worker.runUntil(
      temporal.client.workflow.execute('sync', {
        taskQueue: QUEUE,
        workflowId: 'sync/many',
        args: [{ policy: 'critical', repository: 'offsite', jobId: 'job-1' }],
      }),
    );
    await connection.close();

    const of = (name: Call['name']) => calls.filter((call) => call.name === name).map(({ input }) => input);
    assert.ok(of('beginJob').length > 1, 'there was no new run');
    assert.deepEqual(
      of('endJob').map(({ status }) => status),
      ['success'],
    );
    assert.deepEqual(
      of('endAsset')
        .map(({ asset, outcome }) => `${asset} ${outcome.status} ${outcome.recoveryPointId}`)
        .sort(),
      ['orders success new', 'uploads skipped null'],
    );
  });
});
