import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Configuration } from '../../domain/configuration/types.ts';
import { aConfiguration, aCopy, aJob, aPoint, withCatalog } from './fixture.ts';

describe('renamed assets and policies', () => {
  const fixture = withCatalog();
  const before = aConfiguration();
  const changed = (from: string, to: string, renamed = true): Configuration => ({
    ...before,
    assets: before.assets.map((asset) =>
      asset.name === from ? { ...asset, name: to, ...(renamed && { renamedFrom: from }) } : asset,
    ),
    policies: before.policies.map((policy) => ({
      ...policy,
      assets: policy.assets.map((name) => (name === from ? to : name)),
    })),
  });
  const after = changed('orders', 'sales');

  async function history() {
    const { jobs, points, durations } = fixture.catalog;
    const job = await jobs.begin(aJob({ policy: 'critical', assets: ['orders'] }));
    const fence = await jobs.takeFence(job.id, 'orders');
    const point = await points.record(
      aPoint({ assetType: 'directory', jobId: job.id, copies: [aCopy('local', '2026-11-20T02:00:11.000Z')] }),
      fence,
    );
    await jobs.setAsset(job.id, 'orders', { status: 'success' });
    await jobs.end(job.id, { status: 'success' });
    await durations.record({
      ...{ run: job.id, asset: 'orders', step: 'rehearse', seconds: 12, bytes: 1000 },
      endedAt: '2026-11-20T02:00:30.000Z',
    });
    return point.id;
  }

  beforeEach(async () => {
    await fixture.sql(
      `delete from asset_days; delete from recovery_points; delete from sync_state; delete from jobs; delete from policies;
       delete from assets; delete from restores; delete from configurations; delete from measured_durations`,
    );
    await fixture.catalog.configurations.apply(before);
  });

  it('take their history along, so that status, lists and restores go on', async () => {
    const { configurations, points, jobs } = fixture.catalog;
    const id = await history();
    const told = await configurations.compare(after);
    const done = await configurations.apply(after);
    assert.deepEqual(done, told);
    assert.deepEqual(done.renamed, { assets: [{ from: 'orders', to: 'sales' }], policies: [] });
    assert.deepEqual(done.assets, { added: [], changed: ['sales'], removed: [] });
    assert.equal((await points.newest('sales'))?.id, id);
    assert.equal((await points.find(id)).orphaned, false);
    assert.equal((await jobs.list({ asset: 'sales' })).items.length, 1);
    const state = (await fixture.catalog.status()).find(({ asset }) => asset === 'sales');
    assert.deepEqual([state?.newest?.id, state?.measuredSeconds, state?.copies.length], [id, 12, 1]);
    assert.equal(
      (await fixture.catalog.status()).some(({ asset }) => asset === 'orders'),
      false,
    );
    assert.equal((await configurations.apply(after)).changed, false);
    const events = (await fixture.catalog.audit.list({ action: 'asset.renamed', limit: 1 })).items;
    assert.deepEqual([events[0]?.subject, events[0]?.details], ['asset/sales', { from: 'orders' }]);
  });

  it('take along what was counted of them, and their pauses', async () => {
    const { configurations, objectives, policyPauses } = fixture.catalog;
    await history();
    await policyPauses.pause('critical', 'a new disk', '2026-11-20T10:00:00.000Z');
    const counts = async () => {
      const rows = await fixture.sql<{ asset: string; policy: string; backups: number; points: number }>(
        `select asset, policy, sum(backups_succeeded)::int as backups, sum(points)::int as points,
                sum(rehearse_runs)::int as rehearsals
           from asset_days group by asset, policy having sum(points + backups_succeeded) > 0`,
      );
      return rows.map((row) => Object.values(row).join(' '));
    };
    assert.deepEqual(await counts(), ['orders critical 1 1 1']);
    await configurations.apply(after);
    assert.deepEqual(await counts(), ['sales critical 1 1 1']);
    const policies = after.policies.map((policy) => ({ ...policy, name: 'vital', renamedFrom: 'critical' }));
    await configurations.apply({ ...after, policies });
    assert.deepEqual(await counts(), ['sales vital 1 1 1']);
    assert.equal((await objectives.assetFigures(new Date('2026-11-21'))).length > 0, true);
    assert.deepEqual([...(await policyPauses.open()).keys()], ['vital']);
    await policyPauses.resume('vital', 'it is in', '2026-11-20T11:00:00.000Z');
  });

  it('are joined with what was backed up under the new name before the rename was said', async () => {
    const { configurations, points } = fixture.catalog;
    const id = await history();
    await configurations.apply(changed('orders', 'sales', false));
    assert.equal((await points.find(id)).orphaned, true);
    const takenAt = '2026-11-20T03:00:00.000Z';
    const copies = [aCopy('local', takenAt)] as const;
    const newer = aPoint({ asset: 'sales', assetType: 'directory', takenAt, copies: [...copies] });
    await points.record(newer, null);
    await configurations.apply(after);
    assert.deepEqual(
      (await points.list({ asset: 'sales' })).items.map((point) => point.id),
      [newer.id, id],
    );
    const [copy] = (await fixture.catalog.status()).find(({ asset }) => asset === 'sales')?.copies ?? [];
    assert.equal(copy?.newestTakenAt, takenAt);
  });

  it('wait for what still runs under the old name', async () => {
    const { configurations, jobs, restores } = fixture.catalog;
    await history();
    const job = await jobs.begin(aJob({ policy: null, assets: ['orders'] }));
    const refused = { code: 'request.conflict', cause: /has not ended/ };
    await assert.rejects(configurations.apply(after), refused);
    await jobs.end(job.id, { status: 'cancelled' });
    const restore = await restores.create({
      ...{ requestId: randomUUID(), asset: 'orders', point: 'latest', target: 'in place', include: [] },
    });
    await assert.rejects(configurations.apply(after), refused);
    await restores.update(restore.id, { status: 'cancelled' });
    await configurations.apply(after);
    assert.equal((await restores.find(restore.id)).asset, 'sales');
  });

  it('are refused where they are two things', async () => {
    const { configurations, jobs } = fixture.catalog;
    await history();
    const sqlite = { type: 'sqlite', expect: { minBytes: 1 } };
    const assets = after.assets.map((asset) => (asset.name === 'sales' ? { ...asset, ...sqlite } : asset));
    const job = await jobs.begin(aJob({ assets: ['orders', 'sales'] }));
    await jobs.end(job.id, { status: 'cancelled' });
    await assert.rejects(configurations.apply(after), {
      code: 'configuration.invalid',
      cause: `job ${job.id} backed up both of them`,
    });
    await fixture.sql('delete from jobs');
    await assert.rejects(configurations.apply({ ...after, assets } as Configuration), {
      code: 'configuration.invalid',
      cause: /orders is a directory asset, sales is a sqlite asset/,
    });
  });

  it('of policies keep their jobs and versions, and are changed, not removed', async () => {
    const { configurations, jobs, points } = fixture.catalog;
    const id = await history();
    const policies = before.policies.map((policy) => ({
      ...policy,
      name: 'gold',
      renamedFrom: 'critical',
    }));
    const done = await configurations.apply({ ...before, policies });
    assert.deepEqual(done.policies, { added: [], changed: ['gold'], removed: [] });
    assert.deepEqual(done.renamed.policies, [{ from: 'critical', to: 'gold' }]);
    assert.equal((await jobs.list({ policy: 'gold' })).items.length, 1);
    assert.equal((await points.find(id)).policy, 'gold');
    assert.deepEqual(await fixture.sql('select name, version, is_current from policies order by version'), [
      { name: 'gold', version: 1, is_current: false },
      { name: 'gold', version: 2, is_current: true },
    ]);
    assert.equal((await configurations.apply({ ...before, policies })).changed, false);
  });
});
