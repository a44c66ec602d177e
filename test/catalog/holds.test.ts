import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { aCopy, aJob, aPoint, withCatalog } from './fixture.ts';

describe('holds in the catalogue', () => {
  const fixture = withCatalog();
  const recorded = async (changes: Parameters<typeof aPoint>[0] = {}) =>
    (await fixture.catalog.points.record(aPoint(changes), null)).id;
  const auditOf = async (id: string) =>
    (await fixture.catalog.audit.list({ subject: `point/${id}`, action: 'point.' })).items
      .map(({ action, actor }) => `${action} by ${actor}`)
      .reverse();

  it('keeps who holds a point and why, and is told of what was released', async () => {
    const id = await recorded();
    const anna = fixture.catalog.as('anna');
    const hold = await anna.holds.place(id, { reason: 'case 117', owner: 'legal' });
    assert.deepEqual(
      { ...hold, placedAt: '' },
      { pointId: id, kind: 'legal', owner: 'legal', reason: 'case 117', placedAt: '', placedBy: 'anna' },
    );
    assert.deepEqual(await anna.holds.open('orders'), [hold]);
    assert.deepEqual(await anna.holds.open('uploads'), []);
    await fixture.catalog.as('bert').holds.release(id, 'closed');
    assert.deepEqual(await anna.holds.open('orders'), []);
    assert.deepEqual(await auditOf(id), [
      'point.recorded by test',
      'point.held by anna',
      'point.released by bert',
    ]);
  });

  it('is one hold however often it is placed, and several owners hold one by one', async () => {
    const id = await recorded();
    const { holds } = fixture.catalog;
    const [first, again] = [
      await holds.place(id, { reason: 'case 1' }),
      await holds.place(id, { reason: 'case 1' }),
    ];
    assert.deepEqual(again, first);
    await holds.place(id.slice(0, 13), { reason: 'case 2', owner: 'tax', kind: 'other' });
    assert.equal((await holds.openOf([id])).length, 2);
    assert.deepEqual(
      (await holds.release(id, 'done', 'tax')).map(({ owner }) => owner),
      ['tax'],
    );
    await assert.rejects(holds.release(id, 'done', 'tax'), {
      code: 'notFound',
      cause: /tax does not hold it/,
    });
    await holds.release(id, 'done');
    await assert.rejects(holds.release(id, 'done'), { code: 'notFound', cause: 'nobody holds it' });
  });

  it('does not let a held point be removed, nor one being removed be held', async () => {
    const id = await recorded();
    const { holds, removals } = fixture.catalog;
    await holds.place(id, { reason: 'case 1', owner: 'legal' });
    await assert.rejects(removals.begin(id, ['local'], 'old'), {
      code: 'request.conflict',
      cause: 'it is held for legal: case 1',
    });
    await holds.release(id, 'done');
    await removals.begin(id, ['local'], 'old');
    await assert.rejects(holds.place(id, { reason: 'case 2' }), { code: 'request.conflict' });
  });

  it('decides a hold and a removal that come together one way only', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await recorded();
      const [held, begun] = await Promise.allSettled([
        fixture.catalog.holds.place(id, { reason: 'race' }),
        fixture.catalog.removals.begin(id, ['local'], 'race'),
      ]);
      assert.notEqual(held.status, begun.status);
    }
  });

  it('of a drill end with its job, also one that was ended without its workflow', async () => {
    const { catalog } = fixture;
    const held = await recorded();
    const job = await catalog.jobs.begin(aJob({ type: 'drill', policy: null }));
    await catalog.holds.place(held, { kind: 'other', owner: `drill ${job.id}`, reason: 'drill quarterly' });
    await catalog.holds.place(held, { owner: 'legal', reason: 'case 118' });
    await catalog.jobs.end(job.id, { status: 'cancelled' });
    assert.deepEqual(
      (await catalog.holds.openOf([held])).map(({ owner }) => owner),
      ['legal'],
    );
    const [event] = (await catalog.audit.list({ action: 'point.released', limit: 1 })).items;
    assert.equal(event?.details['owner'], `drill ${job.id}`);
  });
});

describe('removing recovery points from the catalogue', () => {
  const fixture = withCatalog();
  beforeEach(() => fixture.sql('truncate recovery_points cascade; delete from sync_state'));
  const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 3, minute)).toISOString();
  const recorded = async (minute: number) => {
    const takenAt = at(minute);
    const copies = [aCopy('local', takenAt), aCopy('offsite', takenAt)] as const;
    return (await fixture.catalog.points.record(aPoint({ takenAt, copies: [...copies] }), null)).id;
  };
  const remove = async (id: string, ...repositories: string[]) => {
    const { removals } = fixture.catalog.as('anna');
    await removals.begin(id, repositories, 'holds a deleted customer');
    for (const repository of repositories)
      await removals.copyGone(id, repository, 'holds a deleted customer');
  };
  const synced = () => fixture.sql('select repository, point_id from sync_state order by repository');

  it('hides the point everywhere, says where it went, and sets the repositories back', async () => {
    const { points } = fixture.catalog;
    const [older, newer] = [await recorded(1), await recorded(2)];
    await remove(newer, 'local', 'offsite');
    assert.deepEqual(
      (await points.list()).items.map(({ id }) => id),
      [older],
    );
    assert.equal((await points.newest('orders'))?.id, older);
    await assert.rejects(points.find(newer), {
      code: 'point.unknown',
      cause: /^anna removed it at .*: holds a deleted customer$/,
    });
    assert.deepEqual(await synced(), [
      { repository: 'local', point_id: older },
      { repository: 'offsite', point_id: older },
    ]);
    await remove(older, 'local', 'offsite');
    assert.deepEqual(await synced(), []);
    const actions = (await fixture.catalog.audit.list({ subject: `point/${newer}`, actor: 'anna' })).items;
    assert.deepEqual(actions.map(({ action }) => action).reverse(), [
      ...['point.removing', 'copy.removed', 'copy.removed', 'point.removed'],
    ]);
  });

  it('of one copy keeps the point, with the proof of what is left', async () => {
    const { points } = fixture.catalog;
    const id = await recorded(1);
    await points.markCopy(id, 'offsite', { provenAt: at(3) });
    await remove(id, 'offsite');
    const point = await points.find(id);
    assert.deepEqual([point.proof, point.copies.map(({ repository }) => repository)], ['stored', ['local']]);
    assert.deepEqual(await synced(), [{ repository: 'local', point_id: id }]);
    await fixture.catalog.holds.place(id, { reason: 'may be held again' });
  });

  it('knows a removal until its last copy is gone, and lets nobody hold the point before', async () => {
    const id = await recorded(1);
    const { removals, holds, audit } = fixture.catalog.as('anna');
    const ordered = async () =>
      (await removals.unfinished()).map(({ repositories, actor, reason }) => [repositories, actor, reason]);
    for (const _ of ['once', 'again']) await removals.begin(id, ['local', 'offsite'], 'mistaken');
    assert.deepEqual(await ordered(), [[['local', 'offsite'], 'anna', 'mistaken']]);
    await removals.copyGone(id, 'local', 'mistaken');
    assert.equal((await ordered()).length, 1);
    await assert.rejects(holds.place(id, { reason: 'too late' }), { code: 'request.conflict' });
    await removals.copyGone(id, 'offsite', 'mistaken');
    assert.deepEqual(await ordered(), []);
    const begun = (await audit.list({ subject: `point/${id}`, action: 'point.removing' })).items;
    assert.equal(begun.length, 1);
  });

  it('begins nothing where no copy is, and tells two orders apart', async () => {
    const id = await recorded(1);
    const { removals, holds } = fixture.catalog.as('anna');
    await removals.begin(id, ['elsewhere'], 'mistaken');
    assert.deepEqual(await removals.unfinished(), []);
    await holds.place(id, { reason: 'nothing is being removed' });
    await holds.release(id, 'done');
    const third = await recorded(2);
    await removals.begin(third, ['local'], 'mistaken');
    await removals.begin(third, ['offsite'], 'that as well');
    await removals.copyGone(third, 'local', 'mistaken');
    assert.deepEqual(
      (await removals.unfinished()).map(({ repositories }) => repositories),
      [['offsite']],
    );
    await assert.rejects(holds.place(third, { reason: 'too late' }), { code: 'request.conflict' });
  });

  it('may run twice, and lets no late step bring the point back', async () => {
    const { points, removals } = fixture.catalog;
    const id = await recorded(1);
    await remove(id, 'local', 'offsite');
    await removals.copyGone(id, 'local', 'again');
    await assert.rejects(points.recordCopy(id, aCopy('third', at(4))), { code: 'point.unknown' });
    await assert.rejects(points.markCopy(id, 'local', { verifiedAt: at(4) }), { code: 'point.unknown' });
  });

  it('leaves alone what a restore that has not ended uses', async () => {
    const id = await recorded(1);
    const { restores, removals } = fixture.catalog;
    const restore = await restores.create({
      ...{ requestId: randomUUID(), asset: 'orders', target: 'in place', include: [] },
      point: id,
    });
    await assert.rejects(removals.begin(id, ['local'], 'old'), {
      code: 'request.conflict',
      cause: `restore ${restore.id} uses it and has not ended`,
    });
    await restores.update(restore.id, { status: 'cancelled' });
    await removals.begin(id, ['local'], 'old');
  });
});
