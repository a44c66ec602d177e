import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { Services } from '../../api/services.ts';
import { openAuditKey } from '../../api/wiring/audit-key.ts';
import { createServices } from '../../api/wiring/services.ts';
import { workflowState } from '../../client/index.ts';
import { aConfiguration, aJob, withCatalog } from '../catalog/fixture.ts';
import { timeSkippingServer } from '../workflows/time-skipping.ts';

// No worker polls: a workflow that was started stays as it is.

describe('jobs whose row and workflow do not agree', function () {
  this.timeout(180_000);
  const fixture = withCatalog();
  const actor = { name: 'ann', role: 'admin' } as const;
  let temporal: Client;
  let services: Services;
  let dataDir: string;
  before(async () => {
    temporal = (await timeSkippingServer()).client;
    dataDir = await mkdtemp(join(tmpdir(), 'holdfast-api-'));
    const auditKey = await openAuditKey(dataDir, fixture.catalog);
    services = createServices({ catalog: fixture.catalog, temporal, auditKey, dataDir, host: 'host' });
    await fixture.catalog.configurations.apply(aConfiguration());
  });
  after(() => rm(dataDir, { recursive: true }));
  beforeEach(async () => {
    const { items } = await fixture.catalog.jobs.list({ status: ['running', 'waiting'] });
    for (const { id } of items) await fixture.catalog.jobs.end(id, { status: 'cancelled' });
  });
  const backUp = (key: string | null = null) =>
    services.startBackup(
      actor,
      { policy: 'critical', assets: [] },
      key === null ? null : { key, request: 'the same' },
    );
  const workflow = (id: string) => temporal.workflow.getHandle(id);

  it('a cancel goes to the workflow that runs, which ends the job', async () => {
    const { answer: job } = await backUp();
    assert.equal((await services.cancelJob(actor, job.id)).status, 'running');
    await workflow(job.workflowId).terminate();
  });

  it('a cancel ends the job whose workflow was terminated, and the policy can be backed up again', async () => {
    const { answer: job } = await backUp();
    await workflow(job.workflowId).terminate();
    const ended = await services.cancelJob(actor, job.id);
    assert.equal(ended.status, 'cancelled');
    assert.match(ended.error?.cause ?? '', /it was terminated there, or never started/);
    const [event] = (await fixture.catalog.audit.list({ limit: 1 })).items;
    assert.deepEqual([event?.action, event?.actor], ['job.ended', 'ann']);
    await workflow((await backUp()).answer.workflowId).terminate();
  });

  it('are listed as open while they run or wait', async () => {
    const { jobs } = fixture.catalog;
    const begun = await Promise.all(
      ['one', 'two', 'three'].map((name) =>
        jobs.begin(aJob({ workflowId: `verify/${name}`, type: 'verify' })),
      ),
    );
    const [runs, waits, over] = begun.map(({ id }) => id);
    await jobs.setStatus(waits!, 'waiting');
    await jobs.end(over!, { status: 'cancelled' });
    const all = { policy: null, asset: null, type: null };
    const listed = async (status: 'open' | 'waiting') =>
      (await services.listJobs({ ...all, status }, { limit: 50, cursor: null })).items
        .map(({ id }) => id)
        .sort();
    assert.deepEqual(await listed('open'), [runs, waits].sort());
    assert.deepEqual(await listed('waiting'), [waits]);
  });

  it('a cancel ends the job whose workflow was never started', async () => {
    const job = await fixture.catalog.jobs.begin(aJob({ workflowId: 'backup/critical-never' }));
    assert.equal((await services.cancelJob(actor, job.id)).status, 'cancelled');
  });

  it('a request repeated with its key starts the workflow that was never started', async () => {
    const own = aJob({ workflowId: 'backup/critical-late', trigger: 'manual', assets: ['orders'] });
    const key = { key: 'key-1', request: 'the same' };
    await fixture.catalog.idempotency.claim(key.key, key.request, { kind: 'job', id: own.id });
    await fixture.catalog.jobs.begin(own);
    const { answer, repeated } = await backUp('key-1');
    assert.deepEqual([answer.id, repeated], [own.id, true]);
    assert.equal(await workflowState(temporal, own.workflowId), 'running');
    await workflow(own.workflowId).terminate();
  });

  it('a request repeated with its key leaves the workflow that runs alone', async () => {
    const { answer: job } = await backUp('key-2');
    const { runId } = await workflow(job.workflowId).describe();
    const again = await backUp('key-2');
    assert.deepEqual([again.answer.id, again.repeated], [job.id, true]);
    assert.equal((await workflow(job.workflowId).describe()).runId, runId);
    await workflow(job.workflowId).terminate();
  });
});
