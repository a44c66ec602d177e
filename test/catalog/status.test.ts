import assert from 'node:assert/strict';
import { aConfiguration, aCopy, aJob, aPoint, withCatalog } from './fixture.ts';

describe('the facts behind status', () => {
  const fixture = withCatalog();
  const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 3, minute)).toISOString();

  it('says nothing of an asset that was never backed up but that it is there', async () => {
    await fixture.catalog.configurations.apply(aConfiguration());
    const states = await fixture.catalog.status();
    assert.deepEqual(states[0], {
      asset: 'orders',
      assetType: 'directory',
      dataClass: 'standard',
      site: 'local',
      policy: 'critical',
      newest: null,
      newestVerified: null,
      newestProven: null,
      lastProvenAt: null,
      lastJob: null,
      measuredSeconds: null,
      damagedNewest: null,
      damagedCopies: 0,
      copies: [],
    });
    assert.deepEqual(
      states.map((state) => state.asset),
      ['orders', 'uploads'],
    );
  });

  it('gathers what is known in one row', async () => {
    const { points, jobs, durations, status } = fixture.catalog;
    const record = async (minute: number, changes: Parameters<typeof aPoint>[0] = {}) =>
      (await points.record(aPoint({ takenAt: at(minute), ...changes }), null)).id;
    const proven = await record(1, { copies: [aCopy('local', at(1)), aCopy('offsite', at(2))] });
    await points.markCopy(proven, 'offsite', { provenAt: at(3) });
    const verified = await record(4);
    await points.markCopy(verified, 'local', { verifiedAt: at(5) });
    const stored = await record(6);
    const damaged = await record(7);
    await points.markCopy(damaged, 'local', { damagedAt: at(8) });
    await points.markCopy(proven, 'local', { damagedAt: at(8) });
    await record(9, { kind: 'safety' });

    const startedAt = new Date().toISOString();
    const done = await jobs.begin(aJob({ startedAt: new Date(Date.now() - 60_000).toISOString() }));
    await jobs.setAsset(done.id, 'orders', { status: 'success' });
    await jobs.end(done.id, { status: 'success' });
    const old = await jobs.begin(aJob({ startedAt: '2025-01-01T00:00:00.000Z' }));
    await jobs.end(old.id, { status: 'failed' });
    const error = { code: 'source.missing', message: 'gone', cause: '', hint: '' };
    const last = await jobs.begin(aJob({ startedAt }));
    await jobs.setAsset(last.id, 'orders', { status: 'failed', error });
    const endedAt = new Date().toISOString();
    await jobs.end(last.id, { status: 'failed', endedAt });
    await jobs.begin(aJob({ type: 'verify', startedAt: new Date(Date.now() + 1_000).toISOString() }));
    const measured = { run: done.id, asset: 'orders', bytes: 1_000 };
    await durations.record({ ...measured, step: 'rehearse', seconds: 41, endedAt: at(3) });
    await durations.record({ ...measured, step: 'store', seconds: 99, endedAt: at(4) });

    const [orders, uploads] = await status();
    assert.deepEqual(orders, {
      asset: 'orders',
      assetType: 'directory',
      dataClass: 'standard',
      site: 'local',
      policy: 'critical',
      newest: { id: stored, takenAt: at(6) },
      newestVerified: { id: verified, takenAt: at(4) },
      newestProven: { id: proven, takenAt: at(1) },
      lastProvenAt: at(3),
      lastJob: { id: last.id, status: 'failed', startedAt, endedAt, error },
      measuredSeconds: 41,
      damagedNewest: { id: damaged, takenAt: at(7) },
      damagedCopies: 2,
      copies: [
        { repository: 'local', newestTakenAt: at(7), storedAt: at(7) },
        { repository: 'offsite', newestTakenAt: at(1), storedAt: at(2) },
      ],
    });
    assert.equal(uploads?.newest, null);
    await record(10);
    assert.equal((await status())[0]?.damagedNewest, null, 'a newer one is whole');
  });

  it('measures a restore from its prepare to its health, and takes the newest', async () => {
    const { durations, status } = fixture.catalog;
    const measure = (
      run: string,
      step: 'prepare' | 'restore' | 'rehearse',
      seconds: number,
      minute: number,
    ) => durations.record({ run, asset: 'orders', bytes: 1_000, step, seconds, endedAt: at(minute) });
    const measured = async () => (await status())[0]?.measuredSeconds;
    await measure('r-1', 'prepare', 100, 10);
    assert.equal(await measured(), 41, 'not committed: the rehearsal before it');
    await measure('r-2', 'prepare', 300, 11);
    await measure('r-2', 'restore', 20, 12);
    assert.equal(await measured(), 320);
    await measure('r-3', 'rehearse', 50, 13);
    await measure('r-3', 'prepare', 7, 13);
    assert.equal(await measured(), 50);
  });

  it('leaves out what is orphaned', async () => {
    const whole = aConfiguration();
    await fixture.catalog.configurations.apply({ ...whole, assets: whole.assets.slice(1), policies: [] });
    const states = await fixture.catalog.status();
    assert.deepEqual(
      states.map(({ asset, policy }) => [asset, policy]),
      [['uploads', null]],
    );
  });
});
