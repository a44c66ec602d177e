import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createBackupSteps } from '../../activities/backup-steps.ts';
import type { SnapshotOutcome } from '../../activities/contract.ts';
import type { Deployment } from '../../activities/deployment.ts';
import { createProcessFence } from '../../activities/hosts/process-fence.ts';
import { aConfiguration, aJob, withCatalog } from '../catalog/fixture.ts';

describe('the steps of a backup', () => {
  const fixture = withCatalog();
  let dataDir: string;
  let now = new Date('2026-11-20T02:00:00.000Z');
  let measured = () => ({ storedBytes: 100, freeBytes: 900 as number | null });
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'holdfast-steps-'));
  });
  after(() => rm(dataDir, { recursive: true, force: true }));

  /** Takes a point of `orders` from which restic could not read these files. */
  async function snapshot(unreadable: string[]): Promise<SnapshotOutcome & { point: string }> {
    const { catalog } = fixture;
    await catalog.configurations.apply(aConfiguration());
    const configuration = (await catalog.configurations.current())?.digest ?? '';
    const job = await catalog.jobs.begin(aJob());
    const stored = { part: 'files', snapshotId: randomUUID(), path: '/', files: 1, bytes: 1, addedBytes: 1 };
    const repository = {
      name: 'local',
      store: async () => ({ ...stored, unreadable }),
      measure: async () => measured(),
    };
    const capture = {
      method: 'files',
      parts: [{ kind: 'folder', name: 'files', path: '/', exclude: [] }],
      settle: async () => ({ manifest: null, notes: [] }),
      close: async () => undefined,
    };
    const { snapshotAsset } = createBackupSteps({
      catalog,
      dataDir,
      processes: createProcessFence(dataDir),
      openRepository: async () => repository,
      sourceOf: () => ({ capture: async () => capture }),
      clock: () => now,
    } as unknown as Deployment);
    const point = randomUUID();
    const scope = { jobId: job.id, configuration, policy: 'critical', asset: 'orders' };
    const input = { ...scope, point, repository: 'local', manifest: false };
    const outcome = await new MockActivityEnvironment().run<
      [typeof input],
      SnapshotOutcome,
      typeof snapshotAsset
    >(snapshotAsset, input);
    return { ...outcome, point };
  }

  it('records on the point that some of its files could not be read', async () => {
    const taken = await snapshot(['/srv/orders/a', '/srv/orders/b']);
    assert.equal(taken.partial?.code, 'source.partial');
    assert.equal(
      (await fixture.catalog.points.find(taken.point)).partial,
      '2 of its files could not be read',
    );
  });

  it('records a point of which everything was read as whole', async () => {
    const taken = await snapshot([]);
    assert.equal(taken.partial, null);
    assert.equal((await fixture.catalog.points.find(taken.point)).partial, null);
  });

  it('measures the repository beside a backup, at most once an hour', async () => {
    const { objectives } = fixture.catalog;
    now = new Date('2026-11-21T02:00:00.000Z');
    await snapshot([]);
    const first = { at: now.toISOString(), storedBytes: 100, freeBytes: 900 };
    assert.deepEqual(await objectives.lastSize('local'), first);
    measured = () => ({ storedBytes: 250, freeBytes: 750 });
    now = new Date('2026-11-21T02:59:00.000Z');
    await snapshot([]);
    assert.deepEqual(await objectives.lastSize('local'), first);
    now = new Date('2026-11-21T03:00:00.000Z');
    await snapshot([]);
    assert.equal((await objectives.lastSize('local'))?.storedBytes, 250);
  });

  it('takes the point although the repository could not be measured', async () => {
    now = new Date('2026-11-22T02:00:00.000Z');
    measured = () => {
      throw new Error('stale file handle');
    };
    const { point, partial } = await snapshot([]);
    assert.equal(partial, null);
    const { jobId } = await fixture.catalog.points.find(point);
    const { items } = await fixture.catalog.jobEvents.list(jobId ?? '');
    assert.ok(
      items.some(
        ({ level, message }) =>
          level === 'warning' && message === 'the size of local could not be measured: stale file handle',
      ),
    );
  });
});
