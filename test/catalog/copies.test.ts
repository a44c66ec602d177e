import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { aConfiguration, aCopy, aJob, aPoint, withCatalog } from './fixture.ts';

const now = new Date('2026-11-20T12:00:00.000Z');
const failure = { code: 'repository.absent', message: 'absent', cause: 'no such host', hint: 'look' };

describe('copies in the catalogue', () => {
  const fixture = withCatalog();
  const at = (hour: number) => `2026-11-20T${String(hour).padStart(2, '0')}:00:00.000Z`;
  const configuration = aConfiguration({
    policies: aConfiguration().policies.map((policy) => ({
      ...policy,
      assets: ['orders'],
      repository: 'local',
      copies: [{ repository: 'offsite', retention: null, lagSeconds: 3600 }],
    })),
  });
  const state = async () => (await fixture.catalog.copies.states(configuration.policies, now))[0];
  const take = async (hour: number, repositories: string[]) => {
    const copies = repositories.map((name) => aCopy(name, at(hour)));
    const id = randomUUID();
    await fixture.catalog.points.record(aPoint({ id, takenAt: at(hour), copies: [copies[0]!] }), null);
    for (const copy of copies.slice(1)) await fixture.catalog.points.recordCopy(id, copy);
    return id;
  };
  before(async () => {
    await fixture.catalog.configurations.apply(configuration);
  });

  it('are behind by the points that are newer than their newest, since the first of them was stored', async () => {
    await take(8, ['local', 'offsite']);
    assert.equal((await state())?.lagPoints, 0);
    assert.equal((await state())?.lagSeconds, 0);
    await take(9, ['local']);
    const newest = await take(10, ['local']);
    const behind = await state();
    assert.equal(behind?.lagPoints, 2);
    assert.equal(behind?.lagSeconds, 3 * 3600);
    assert.equal(behind?.breached, true);
    assert.equal(behind?.assets[0]?.newestTakenAt, at(8));
    await fixture.catalog.points.recordCopy(newest, aCopy('offsite', at(11)));
    assert.equal((await state())?.lagPoints, 0, 'an older point that is missing is no lag');
  });

  it('do not wait for damaged points', async () => {
    const damaged = await take(11, ['local']);
    assert.equal((await state())?.lagPoints, 1);
    await fixture.catalog.points.markCopy(damaged, 'local', { damagedAt: at(12) });
    assert.equal((await state())?.lagPoints, 0);
  });

  it('keep how the last attempt ended, and not an older one', async () => {
    assert.equal((await state())?.lastStatus, null);
    const attempt = { asset: 'orders', repository: 'offsite', jobId: randomUUID(), pointId: randomUUID() };
    await fixture.catalog.copies.noteAttempt({ ...attempt, at: at(10), error: failure });
    assert.deepEqual((await state())?.error, failure);
    assert.equal((await state())?.lastAttemptAt, at(10));
    await fixture.catalog.copies.noteAttempt({ ...attempt, at: at(9), error: null });
    assert.equal((await state())?.lastStatus, 'failed');
    await fixture.catalog.copies.noteAttempt({ ...attempt, at: at(11), error: null });
    assert.equal((await state())?.lastStatus, 'success');
  });

  it('do not get a point that a person takes away meanwhile', async () => {
    const { jobs, points, removals } = fixture.catalog;
    const id = await take(12, ['local']);
    const job = await jobs.begin(aJob({ type: 'sync', repository: 'third', assets: ['orders'] }));
    const fence = await jobs.takeFence(job.id, 'orders');
    await removals.begin(id, ['local'], 'holds a deleted customer');
    await assert.rejects(points.recordCopy(id, aCopy('third', at(12)), fence), {
      code: 'point.unknown',
      cause: 'it is being taken away',
    });
    assert.deepEqual(
      (await points.find(id)).copies.map(({ repository }) => repository),
      ['local'],
    );
    await jobs.end(job.id, { status: 'failed' });
  });

  it('are brought up to date by one sync at a time, each copy by itself', async () => {
    const { jobs } = fixture.catalog;
    const sync = (repository: string) =>
      aJob({ type: 'sync', policy: 'critical', repository, workflowId: `sync/critical/${repository}` });
    const first = await jobs.begin(sync('offsite'));
    assert.equal(first.repository, 'offsite');
    await assert.rejects(jobs.begin(sync('offsite')), {
      code: 'request.conflict',
      message: 'a sync to offsite of policy critical is running already',
    });
    await jobs.begin(sync('elsewhere'));
    await jobs.end(first.id, { status: 'failed' });
    await jobs.begin(sync('offsite'));
  });

  it('fail each by itself, until something arrives there or nothing is missing any more', async () => {
    const { catalog } = fixture;
    await fixture.sql(`update jobs set status = 'cancelled', ended_at = now() where type = 'sync'`);
    const policies = configuration.policies.map((policy) => ({
      ...policy,
      copies: [...policy.copies, { repository: 'cold', retention: null }],
    }));
    await catalog.configurations.apply({ ...configuration, policies });
    const ended = async (hour: number, repository: string, status: 'success' | 'failed' | 'skipped') => {
      const startedAt = `2026-11-21T${String(hour).padStart(2, '0')}:00:00.000Z`;
      const begun = { type: 'sync' as const, policy: 'critical', repository, startedAt, assets: ['orders'] };
      const { id } = await catalog.jobs.begin(aJob(begun));
      const error = status === 'failed' ? failure : null;
      await catalog.jobs.setAsset(id, 'orders', { status, error });
      await catalog.jobs.end(id, { status: status === 'failed' ? 'failed' : 'success' });
      await fixture.sql('update jobs set ended_at = started_at where id = $1', [id]);
      return id;
    };
    const outcomes = async () =>
      (await catalog.incidentRecords.outcomes()).map(({ asset, type, repository, status }) =>
        [type, repository, asset, status].join(' '),
      );
    const jobId = await ended(1, 'offsite', 'failed');
    await ended(2, 'cold', 'success');
    const found = await outcomes();
    assert.ok(found.includes('sync offsite orders failed'), found.join());
    assert.ok(found.includes('sync cold orders success'), found.join());
    assert.ok(!found.some((words) => words.startsWith('sync offsite  ')), 'told once, of the asset');

    const attempt = { asset: 'orders', jobId, pointId: randomUUID(), at: '2026-11-21T02:30:00.000Z' };
    await catalog.copies.noteAttempt({ ...attempt, repository: 'cold', error: null });
    assert.ok(
      (await outcomes()).includes('sync offsite orders failed'),
      'that the other arrived says nothing',
    );
    await catalog.copies.noteAttempt({ ...attempt, repository: 'offsite', error: null });
    assert.ok((await outcomes()).includes('sync offsite orders success'), 'a backup has sent it since');

    await ended(3, 'cold', 'failed');
    assert.ok((await outcomes()).includes('sync cold orders failed'));
    await ended(4, 'cold', 'skipped');
    assert.ok((await outcomes()).includes('sync cold orders success'), 'nothing was missing there any more');
  });
});
