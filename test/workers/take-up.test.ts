import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { NewRestore } from '../../catalog/catalog.ts';
import { startBackup, startDrill, workflowState } from '../../client/index.ts';
import { drillHolder } from '../../domain/drills/holder.ts';
import type { Asset } from '../../domain/configuration/types.ts';
import type { RestoreStatus } from '../../domain/restore.ts';
import { takeUpWhatWasRunning } from '../../workers/take-up.ts';
import { aConfiguration, aCopy, aJob, aPoint, withCatalog } from '../catalog/fixture.ts';
import { timeSkippingServer } from '../workflows/time-skipping.ts';

// No worker polls: a workflow that was started stays as it is.

describe('what the catalogue has as running is taken up', function () {
  this.timeout(180_000);
  const fixture = withCatalog();
  let temporal: Client;
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'holdfast-take-up-'));
    temporal = (await timeSkippingServer()).client;
  });
  after(() => rm(dataDir, { recursive: true }));
  const takeUp = () => takeUpWhatWasRunning(temporal, fixture.catalog, dataDir);
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

  it('a lost run of a verification cadence is started in its mode, any other verification in its own', async () => {
    const startedAt = anHourAgo().toISOString();
    const typeAfter = async (workflowId: string, trigger: 'schedule' | 'manual') => {
      const job = await fixture.catalog.jobs.begin(
        aJob({ type: 'verify', policy: 'critical', trigger, startedAt, workflowId }),
      );
      await takeUp();
      const handle = temporal.workflow.getHandle(job.workflowId);
      const { type } = await handle.describe();
      await handle.terminate();
      await takeUp();
      return type;
    };
    assert.equal(await typeAfter('verify/critical-1', 'schedule'), 'verifyCadence');
    assert.equal(await typeAfter('verify-due/critical-2', 'manual'), 'verifyCadence');
    assert.equal(await typeAfter('verify/critical-3', 'manual'), 'verify');
  });

  it('a lost job of the control plane is started for its repository', async () => {
    const workflowId = 'control-plane/offsite-1';
    const startedAt = anHourAgo().toISOString();
    await fixture.catalog.jobs.begin(
      aJob({ type: 'controlPlane', policy: null, repository: 'offsite', startedAt, workflowId }),
    );
    await takeUp();
    const handle = temporal.workflow.getHandle(workflowId);
    assert.equal((await handle.describe()).type, 'backupControlPlane');
    await handle.terminate();
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

  async function drillBegun(gameDay: boolean) {
    const { catalog } = fixture;
    const job = aJob({
      type: 'drill',
      workflowId: `drill/${randomUUID()}`,
      startedAt: anHourAgo().toISOString(),
    });
    const row = { job, drill: job.id, scenario: 'hostLoss' as const, repository: 'offsite', gameDay };
    await catalog.drills.begin(row);
    const { id: point } = await catalog.points.record(aPoint(), null);
    await catalog.holds.place(point, { kind: 'other', owner: drillHolder(job.id), reason: 'it restores it' });
    const room = join(dataDir, 'scratch', `${job.id}.drill`);
    await mkdir(join(room, 'orders'), { recursive: true });
    return { job, point, room };
  }

  it('a drill whose workflow was terminated is ended, with its room and what it held', async () => {
    const { job, room } = await drillBegun(false);
    await startDrill(temporal, job.workflowId, { drill: 'quarterly', drillId: job.id });
    await temporal.workflow.getHandle(job.workflowId).terminate();
    await takeUp();
    assert.equal((await fixture.catalog.jobs.find(job.id)).status, 'failed');
    assert.equal(existsSync(room), false, 'its room is still there');
    assert.deepEqual(await fixture.catalog.holds.open(), []);
  });

  it('a game day that Temporal lost is not begun again, and says where what was there is kept', async () => {
    const { job } = await drillBegun(true);
    const takenAt = new Date(Date.parse(job.startedAt) + 60_000).toISOString();
    const kept = await fixture.catalog.points.record(aPoint({ kind: 'safety', takenAt }), null);
    await takeUp();
    assert.equal(await workflowState(temporal, job.workflowId), null);
    const { status, error } = await fixture.catalog.jobs.find(job.id);
    assert.equal(status, 'failed');
    assert.match(error?.hint ?? '', new RegExp(`--asset orders --point ${kept.id}`));
    assert.deepEqual(await fixture.catalog.holds.open(), []);
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
    await takeUpWhatWasRunning(temporal, { ...catalog, jobs }, dataDir);
    assert.equal((await catalog.jobs.find(job.id)).status, 'cancelled');
  });

  describe('a removal that was begun', () => {
    const takenAt = '2026-11-20T02:00:11.000Z';
    const order = { repositories: ['local', 'offsite'], reason: 'mistaken', actor: 'anna' };
    const begunAt = async (at: Date) => {
      const { id: point } = await fixture.catalog.points.record(
        aPoint({ copies: [aCopy('local', takenAt), aCopy('offsite', takenAt)] }),
        null,
      );
      await fixture.catalog.as('anna').removals.begin(point, order.repositories, order.reason);
      await fixture.sql('update point_removals set begun_at = $2 where point_id = $1', [point, at]);
      const workflowId = `removal/${point}/local+offsite`;
      return { point, workflowId, handle: temporal.workflow.getHandle(workflowId) };
    };

    it('and that Temporal does not know goes on, as the person ordered it', async () => {
      const { point, handle, workflowId } = await begunAt(anHourAgo());
      await fixture.catalog.removals.copyGone(point, 'local', 'mistaken');
      await takeUp();
      assert.equal(await workflowState(temporal, workflowId), 'running');
      const { events } = await handle.fetchHistory();
      const [input] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
      assert.deepEqual(JSON.parse(Buffer.from(input?.data ?? []).toString()), { point, ...order });
      await takeUp();
      await handle.terminate();
      await takeUp();
      assert.equal(await workflowState(temporal, workflowId), 'ended', 'that one waits for a person');
    });

    it('just now is left to whoever began it, and one that has ended is left alone', async () => {
      const { workflowId } = await begunAt(new Date());
      const ended = await begunAt(anHourAgo());
      for (const repository of order.repositories)
        await fixture.catalog.removals.copyGone(ended.point, repository, 'mistaken');
      await takeUp();
      assert.equal(await workflowState(temporal, workflowId), null);
      assert.equal(await workflowState(temporal, ended.workflowId), null);
    });
  });

  describe('a restore whose workflow is gone', () => {
    const lost = async (
      asset: string,
      status: 'preparing' | 'committing',
      more: Partial<NewRestore> = {},
    ) => {
      const { restores } = fixture.catalog;
      const order = { asset, point: 'latest', target: 'in place', include: [], ...more };
      const requestId = randomUUID();
      const { id } = await restores.create({ requestId, ...order });
      const path: RestoreStatus[] = status === 'committing' ? ['prepared', 'committing'] : [];
      for (const next of path) await restores.update(id, { status: next });
      const begun = new Date(Date.now() - 3600_000).toISOString();
      await fixture.sql('update restores set created_at = $2 where request_id = $1', [requestId, begun]);
      await mkdir(join(dataDir, 'restores', id, 'staged'), { recursive: true });
      await takeUp();
      return { ...(await restores.find(id)), staged: existsSync(join(dataDir, 'restores', id)) };
    };
    before(async () => {
      const plain = aConfiguration();
      const [orders, uploads] = plain.assets as [Asset, Asset];
      const assets = [
        { ...orders, type: 'postgres', url: { kind: 'env', name: 'URL' } },
        { ...uploads, restore: { ...uploads.restore, stop: ['systemctl stop shop'] } },
      ] as unknown as Asset[];
      await fixture.catalog.configurations.apply({ ...plain, assets });
    });

    it('is left to a game day that runs and has ordered it, until that has ended', async () => {
      const { job } = await drillBegun(true);
      await startDrill(temporal, job.workflowId, { drill: 'outage', drillId: job.id });
      const { id, status, staged } = await lost('orders', 'preparing');
      assert.deepEqual([status, staged], ['preparing', true]);
      await temporal.workflow.getHandle(job.workflowId).terminate();
      await takeUp();
      assert.equal((await fixture.catalog.restores.find(id)).status, 'failed');
    });

    it('before its commit, leaves no staging', async () => {
      const { status, staged, error } = await lost('uploads', 'preparing');
      assert.deepEqual([status, staged, error?.hint], ['failed', false, 'prepare it again']);
    });

    it('in its commit, keeps everything and says where what was there lies, and that services may be stopped', async () => {
      const { id, staged, error } = await lost('uploads', 'committing');
      assert.ok(staged);
      assert.match(error?.hint ?? '', new RegExp(`/srv/\\.holdfast-${id}-\\*, or /srv/uploads/\\.holdfast`));
      assert.match(error?.hint ?? '', /may be stopped/);
    });

    it('of a database, names the one that was set aside', async () => {
      const { id, error } = await lost('orders', 'committing', { target: 'shop' });
      assert.match(
        error?.hint ?? '',
        new RegExp(`the database shop_holdfast_${id}_old on the server of orders`),
      );
      assert.doesNotMatch(error?.hint ?? '', /may be stopped/);
    });
  });
});
