import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Worker } from '@temporalio/worker';
import { historyServices } from '../../api/wiring/histories.ts';
import type { Parts } from '../../api/wiring/parts.ts';
import { defaultCacheDirectory } from '../../tools/cache.ts';
import { archiveHistories } from '../../workers/archive-histories.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { aJob, withCatalog } from '../catalog/fixture.ts';
import { historyFromJson } from '../replay/history-json.ts';
import { gate } from '../workflows/steps-double.ts';
import { play, timeSkippingServer } from '../workflows/time-skipping.ts';

describe('event histories of what has ended', function () {
  this.timeout(180_000);
  const fixture = withCatalog();
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'holdfast-histories-'));
  });
  after(() => rm(dataDir, { recursive: true }));

  const input = { policy: 'critical', jobId: 'job', actor: 'tester' };
  const ended = async (workflowId: string) => {
    const job = await fixture.catalog.jobs.begin(aJob({ workflowId }));
    return (await fixture.catalog.jobs.end(job.id, { status: 'cancelled' })).id;
  };
  const archive = async () => {
    const { client } = await timeSkippingServer();
    return archiveHistories(client, fixture.catalog, { dataDir, host: 'here' });
  };
  const services = (host = 'here') =>
    historyServices({ catalog: fixture.catalog, dataDir, host } as unknown as Parts);
  const eventsOf = async (id: string) =>
    (await fixture.catalog.audit.list({ subject: `job/${id}`, action: 'history.' })).items;
  const fileOf = (id: string) => join(dataDir, 'histories', `${id}.json.gz`);
  const archived = async () => {
    const run = await play('backup', input, {});
    await run.ending();
    const id = await ended(run.handle.workflowId);
    await archive();
    return { id, run };
  };

  it('are kept as a file whose digest is on the chain', async () => {
    const { id, run } = await archived();
    const [event] = await eventsOf(id);
    const content = gunzipSync(await readFile(fileOf(id)));
    const { runId } = await run.handle.describe();
    assert.deepEqual(event?.details, {
      digest: createHash('sha256').update(content).digest('hex'),
      bytes: content.length,
      workflowId: run.handle.workflowId,
      runs: [runId],
      host: 'here',
    });
    assert.equal((await stat(fileOf(id))).mode & 0o777, 0o600);
    assert.equal((await services().jobHistory(id.slice(0, 13))).state, 'whole');
  });

  it('can be replayed from the file', async () => {
    const { id } = await archived();
    const { runs } = JSON.parse(gunzipSync(await readFile(fileOf(id))).toString()) as {
      runs: { events: unknown[] }[];
    };
    const history = historyFromJson({ events: runs[0]?.events });
    const bundle = await workflowBundle(defaultCacheDirectory());
    await Worker.runReplayHistory({ workflowBundle: bundle }, history);
  });

  it('are exported once, also by two workers at once', async () => {
    const run = await play('backup', input, {});
    await run.ending();
    const id = await ended(run.handle.workflowId);
    await Promise.all([archive(), archive()]);
    await archive();
    assert.equal((await eventsOf(id)).length, 1);
    assert.equal((await services().jobHistory(id)).state, 'whole');
  });

  it('wait for the end of the workflow, which comes after that of the job', async () => {
    const held = gate();
    const run = await play('backup', input, { snapshotAsset: async () => held.wait() as never });
    const id = await ended(run.handle.workflowId);
    await archive();
    assert.equal((await services().jobHistory(id)).state, 'pending');
    held.open();
    await run.ending().catch(() => undefined);
    await archive();
    assert.equal((await services().jobHistory(id)).state, 'whole');
  });

  it('that Temporal lost are said to be, once', async () => {
    const id = await ended(`backup/${randomUUID()}`);
    await archive();
    await archive();
    assert.deepEqual(
      (await eventsOf(id)).map(({ action }) => action),
      ['history.unavailable'],
    );
    assert.equal((await services().jobHistory(id)).state, 'unavailable');
  });

  it('of restores are kept as well', async () => {
    const { restores } = fixture.catalog;
    const restore = await restores.create({
      ...{ requestId: randomUUID(), asset: 'orders', point: 'latest', target: 'in place', include: [] },
    });
    await restores.update(restore.id, { status: 'cancelled' });
    await archive();
    assert.equal((await services().jobHistory(restore.id)).state, 'unavailable');
  });

  it('are found altered and missing, by name', async () => {
    const [altered, missing, whole] = [await archived(), await archived(), await archived()];
    const content = gunzipSync(await readFile(fileOf(altered.id))).toString();
    await writeFile(fileOf(altered.id), gzipSync(content.replace('EVENT_TYPE', 'EVENT_TIPE')));
    await rm(fileOf(missing.id));
    const report = await services().checkHistories();
    assert.deepEqual(
      report.problems.map(({ subject, state }) => `${subject} ${state}`).sort(),
      [`job/${altered.id} altered`, `job/${missing.id} missing`].sort(),
    );
    assert.equal((await services().jobHistory(whole.id)).state, 'whole');
    assert.equal((await services('there').jobHistory(missing.id)).state, 'elsewhere');
    await writeFile(fileOf(whole.id), 'no gzip');
    assert.equal((await services().jobHistory(whole.id)).state, 'altered');
  });
});
