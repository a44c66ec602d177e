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
    const repository = { name: 'local', store: async () => ({ ...stored, unreadable }) };
    const capture = {
      method: 'files',
      parts: [{ kind: 'folder', name: 'files', path: '/', exclude: [] }],
      settle: async () => ({ manifest: null, notes: [] }),
      close: async () => undefined,
    };
    const { snapshotAsset } = createBackupSteps({
      catalog,
      dataDir,
      clock: () => new Date(),
      processes: createProcessFence(dataDir),
      openRepository: async () => repository,
      sourceOf: () => ({ capture: async () => capture }),
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
});
