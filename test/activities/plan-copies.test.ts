import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Deployment } from '../../activities/deployment.ts';
import { planCopies } from '../../activities/plan-copies.ts';
import { aConfiguration, aCopy, aJob, aPoint, withCatalog } from '../catalog/fixture.ts';

describe('what a sync sends', () => {
  const fixture = withCatalog();
  const at = '2026-11-20T03:00:00.000Z';

  it('leaves to a running backup, of whichever policy, the points that it sends there itself', async () => {
    const { catalog } = fixture;
    const [policy] = aConfiguration().policies;
    const shared = { ...policy!, assets: ['orders'], repository: 'local' };
    const travelling = {
      repository: 'offsite',
      retention: null,
      cadence: { kind: 'every' as const, seconds: 60 },
    };
    const policies = [
      { ...shared, name: 'hourly', copies: [{ repository: 'offsite', retention: null }] },
      { ...shared, name: 'weekly', copies: [travelling] },
    ];
    await catalog.configurations.apply(aConfiguration({ policies }));
    const configuration = (await catalog.configurations.current())?.digest ?? '';
    const id = randomUUID();
    await catalog.points.record(aPoint({ id, takenAt: at, copies: [aCopy('local', at)] }), null);
    const backup = await catalog.jobs.begin(aJob({ policy: 'hourly', assets: ['orders'] }));
    await catalog.jobs.setAsset(backup.id, 'orders', { status: 'running', recoveryPointId: id });

    const deployment = { catalog, clock: () => new Date(at) } as unknown as Deployment;
    const scope = { jobId: randomUUID(), configuration, policy: 'weekly' };
    const due = () => planCopies(deployment, { ...scope, repository: 'offsite', without: [] });
    assert.deepEqual(await due(), []);
    await catalog.jobs.end(backup.id, { status: 'failed' });
    assert.deepEqual(await due(), [{ asset: 'orders', point: id }]);
  });
});
