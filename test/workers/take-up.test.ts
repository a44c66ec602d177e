import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { startBackup, workflowState } from '../../client/index.ts';
import { takeUpWhatWasRunning } from '../../workers/take-up.ts';
import { aJob, withCatalog } from '../catalog/fixture.ts';
import { timeSkippingServer } from '../workflows/time-skipping.ts';

// No worker polls: a workflow that was started stays as it is.

describe('what the catalogue has as running is taken up', function () {
  this.timeout(180_000);
  const fixture = withCatalog();
  let temporal: Client;
  before(async () => {
    temporal = (await timeSkippingServer()).client;
  });
  const takeUp = () => takeUpWhatWasRunning(temporal, fixture.catalog);
  const begun = (startedAt: Date) => fixture.catalog.jobs.begin(aJob({ startedAt: startedAt.toISOString() }));
  const anHourAgo = () => new Date(Date.now() - 3600_000);

  it('a job whose workflow Temporal does not know is started under its id', async () => {
    const job = await begun(anHourAgo());
    await takeUp();
    assert.equal(await workflowState(temporal, job.workflowId), 'running');
    assert.equal((await fixture.catalog.jobs.find(job.id)).status, 'running');
    await temporal.workflow.getHandle(job.workflowId).terminate();
    await takeUp();
  });

  it('a job whose workflow was terminated is ended', async () => {
    const job = await begun(anHourAgo());
    await startBackup(temporal, job.workflowId, { policy: 'critical', jobId: job.id });
    await temporal.workflow.getHandle(job.workflowId).terminate();
    await takeUp();
    const { status, error } = await fixture.catalog.jobs.find(job.id);
    assert.equal(status, 'failed');
    assert.match(error?.message ?? '', /ended in Temporal without saying how/);
  });

  it('what was begun just now is left to whoever begins it', async () => {
    const job = await begun(new Date());
    const restore = await fixture.catalog.restores.create({
      requestId: randomUUID(),
      asset: 'orders',
      point: 'latest',
      target: '/srv/orders',
      include: [],
    });
    await takeUp();
    assert.equal(await workflowState(temporal, job.workflowId), null);
    assert.equal((await fixture.catalog.restores.find(restore.id)).status, 'preparing');
  });

  it('a job that ends itself while it is looked at keeps its ending', async () => {
    const job = await begun(anHourAgo());
    await startBackup(temporal, job.workflowId, { policy: 'critical', jobId: job.id });
    const { catalog } = fixture;
    // Its workflow ends right after the list was read.
    const jobs = Object.create(catalog.jobs, {
      list: {
        value: async (request: object) => {
          const page = await catalog.jobs.list(request);
          await catalog.jobs.end(job.id, { status: 'cancelled' });
          await temporal.workflow.getHandle(job.workflowId).terminate();
          return page;
        },
      },
    }) as typeof catalog.jobs;
    await takeUpWhatWasRunning(temporal, { ...catalog, jobs });
    assert.equal((await catalog.jobs.find(job.id)).status, 'cancelled');
  });
});
