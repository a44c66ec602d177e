import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { aConfiguration, aCopy, aJob, aPoint, withCatalog } from './fixture.ts';

describe('recovery points in the catalogue', () => {
  const fixture = withCatalog();
  const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 3, minute)).toISOString();
  const auditOf = async (id: string) =>
    (await fixture.catalog.audit.list({ subject: `point/${id}` })).items
      .map((event) => event.action)
      .reverse();

  async function fenceOf(asset: string) {
    const job = await fixture.catalog.jobs.begin(aJob({ assets: [asset] }));
    return fixture.catalog.jobs.takeFence(job.id, asset);
  }

  it('records a point once, however often the step runs', async () => {
    const { points } = fixture.catalog;
    const fence = await fenceOf('orders');
    const point = aPoint({ jobId: fence.jobId });
    const first = await points.record(point, fence);
    assert.deepEqual(await points.record(point, fence), first);
    const { copies, ...rest } = point;
    assert.deepEqual(first, {
      ...rest,
      proof: 'stored',
      partial: null,
      tags: [],
      orphaned: true,
      copies: copies.map((copy) => ({ ...copy, verifiedAt: null, provenAt: null, damagedAt: null })),
    });
    const rows = await fixture.sql('select from recovery_points where job_id = $1', [fence.jobId]);
    assert.equal(rows.length, 1);
    assert.deepEqual(await auditOf(point.id), ['point.recorded', 'copy.recorded']);
  });

  it('refuses a zombie, a missing fence and a fence for something else', async () => {
    const { points, jobs } = fixture.catalog;
    const zombie = await fenceOf('orders');
    const point = aPoint({ jobId: zombie.jobId });
    const successor = await jobs.takeFence(zombie.jobId, 'orders');
    await assert.rejects(points.record(point, zombie), { code: 'fenced' });
    await assert.rejects(points.record(point, null), { code: 'fenced' });
    await assert.rejects(points.record(point, await fenceOf('orders')), { code: 'fenced' });
    await assert.rejects(points.record({ ...point, asset: 'uploads' }, successor), { code: 'fenced' });
    await assert.rejects(points.find(point.id), { code: 'point.unknown' });
    await points.record(point, successor);
    await assert.rejects(points.recordCopy(point.id, aCopy('offsite', at(1)), zombie), { code: 'fenced' });
    await assert.rejects(points.markCopy(point.id, 'local', { provenAt: at(1) }, zombie), { code: 'fenced' });
    assert.equal((await points.find(point.id)).copies.length, 1);
  });

  it('keeps a second point of the same asset out of a job', async () => {
    const { points } = fixture.catalog;
    const fence = await fenceOf('orders');
    await points.record(aPoint({ jobId: fence.jobId }), fence);
    await assert.rejects(points.record(aPoint({ jobId: fence.jobId }), fence), { code: 'request.conflict' });
    await points.record(aPoint({ jobId: fence.jobId, kind: 'safety' }), fence);
  });

  it('derives the proof from the copies', async () => {
    const { points } = fixture.catalog;
    const { id } = await points.record(aPoint(), null);
    const proofs: string[] = [];
    const keep = async (change: Promise<{ proof: string }>) => proofs.push((await change).proof);
    await keep(points.markCopy(id, 'local', { verifiedAt: at(1) }));
    await keep(points.recordCopy(id, aCopy('offsite', at(2))));
    await keep(points.markCopy(id, 'offsite', { provenAt: at(3) }));
    await keep(points.markCopy(id, 'offsite', { damagedAt: at(4) }));
    await keep(points.markCopy(id, 'local', { damagedAt: at(5) }));
    // Found out of order: an older good reading does not undo a newer bad one.
    await keep(points.markCopy(id, 'local', { verifiedAt: at(4) }));
    await keep(points.markCopy(id, 'offsite', { verifiedAt: at(6) }));
    assert.deepEqual(proofs, ['verified', 'verified', 'proven', 'verified', 'damaged', 'damaged', 'proven']);
    assert.deepEqual(await auditOf(id), [
      ...['point.recorded', 'copy.recorded', 'proof.changed', 'copy.recorded', 'proof.changed'],
      ...['point.damaged', 'proof.changed', 'point.damaged', 'proof.changed', 'proof.changed'],
    ]);
  });

  it('holds a partial point at stored, whatever is shown of its bytes', async () => {
    const { points } = fixture.catalog;
    const copies: [ReturnType<typeof aCopy>] = [aCopy('local', at(0))];
    const point = aPoint({ asset: 'gappy', copies, partial: '2 of its files could not be read' });
    const recorded = await points.record(point, null);
    assert.equal(recorded.partial, '2 of its files could not be read');
    const marked = await points.markCopy(point.id, 'local', { verifiedAt: at(1), provenAt: at(1) });
    assert.deepEqual([marked.proof, marked.copies[0]?.verifiedAt], ['stored', at(1)]);
    const [copy] = await fixture.sql<{ proof: string }>(
      'select proof from point_copies where point_id = $1',
      [point.id],
    );
    assert.equal(copy?.proof, 'stored');
    const [state] = await fixture.sql<{ proven_at: unknown }>(
      `select proven_at from sync_state where asset = 'gappy'`,
    );
    assert.equal(state?.proven_at, null);
    assert.equal((await points.markCopy(point.id, 'local', { damagedAt: at(2) })).proof, 'damaged');
    assert.equal((await points.markCopy(point.id, 'local', { verifiedAt: at(3) })).proof, 'stored');
    // A later attempt of the same step could read everything.
    const { partial: _, ...whole } = point;
    assert.equal((await points.record(whole, null)).proof, 'proven');
  });

  it('keeps the proof of a copy that is recorded again, and drops it with another artifact', async () => {
    const { points } = fixture.catalog;
    const copy = aCopy('local', at(0));
    const { id } = await points.record(aPoint({ copies: [copy] }), null);
    await points.markCopy(id, 'local', { verifiedAt: at(1), damagedAt: at(2) });
    assert.equal((await points.recordCopy(id, { ...copy, storedAt: at(3) })).proof, 'damaged');
    const replaced = await points.recordCopy(id, aCopy('local', at(4), 'other'));
    assert.equal(replaced.proof, 'stored');
    assert.deepEqual(
      replaced.copies.map(({ artifactId, storedAt, verifiedAt, damagedAt }) => [
        artifactId,
        storedAt,
        verifiedAt,
        damagedAt,
      ]),
      [['other', at(4), null, null]],
    );
  });

  it('judges a point by all its copies when they are marked at once', async () => {
    const { points } = fixture.catalog;
    const repositories = Array.from({ length: 8 }, (_, index) => `repository-${index}`);
    const [first = '', ...rest] = repositories;
    const copies = rest.map((name) => aCopy(name, at(0)));
    const point = await points.record(aPoint({ copies: [aCopy(first, at(0)), ...copies] }), null);
    await Promise.all(repositories.map((name) => points.markCopy(point.id, name, { damagedAt: at(1) })));
    assert.equal((await points.find(point.id)).proof, 'damaged');
  });

  it('marks points of an asset that is not configured as orphaned', async () => {
    const { points, configurations } = fixture.catalog;
    const { id } = await points.record(aPoint({ asset: 'uploads' }), null);
    assert.equal((await points.find(id)).orphaned, true);
    const whole = aConfiguration();
    await configurations.apply(whole);
    assert.equal((await points.find(id)).orphaned, false);
    await configurations.apply({ ...whole, assets: whole.assets.slice(0, 1), policies: [] });
    assert.equal((await points.find(id)).orphaned, true);
    assert.ok((await points.list({ orphaned: true })).items.some((point) => point.id === id));
    assert.ok(!(await points.list({ orphaned: false })).items.some((point) => point.id === id));
  });

  it('finds the newest that is wanted', async () => {
    const { points } = fixture.catalog;
    const asset = 'newest';
    const make = async (minute: number, changes: Parameters<typeof aPoint>[0] = {}) =>
      (await points.record(aPoint({ asset, takenAt: at(minute), ...changes }), null)).id;
    const proven = await make(1, { copies: [{ ...aCopy('offsite', at(1)), provenAt: at(1) }] });
    const verified = await make(2, { copies: [{ ...aCopy('local', at(2)), verifiedAt: at(2) }] });
    const stored = await make(3);
    const damaged = await make(4);
    await points.markCopy(damaged, 'local', { damagedAt: at(5) });
    await make(6, { kind: 'safety' });
    const id = async (wanted?: Parameters<typeof points.newest>[1]) =>
      (await points.newest(asset, wanted))?.id;
    assert.equal(await id(), stored);
    assert.equal(await id({ proof: 'verified' }), verified);
    assert.equal(await id({ proof: 'proven' }), proven);
    assert.equal(await id({ at: at(2) }), verified);
    assert.equal(await id({ repository: 'offsite' }), proven);
    assert.equal(await id({ at: at(0) }), undefined);
    const partial = await make(0, { partial: '1 of its files could not be read' });
    assert.equal(await id({ at: at(0) }), partial, 'the only one');
    await make(7, { partial: '1 of its files could not be read' });
    assert.equal(await id(), stored, 'whole, although older');
    assert.equal(await id({ at: at(1) }), proven);
    assert.equal((await points.list({ asset })).items.length, 6);
    assert.equal((await points.list({ asset, kind: null })).items.length, 7);
    assert.deepEqual(
      (await points.list({ asset, repository: 'offsite' })).items.map((point) => point.id),
      [proven],
    );
    assert.deepEqual(
      (await points.list({ asset, proof: 'damaged' })).items.map((point) => point.id),
      [damaged],
    );
  });

  it('finds the points a damaged snapshot hurts', async () => {
    const { points } = fixture.catalog;
    const snapshot = randomUUID();
    const { id } = await points.record(aPoint({ copies: [aCopy('local', at(0), snapshot)] }), null);
    assert.deepEqual(
      (await points.withSnapshots('local', [snapshot, 'x'])).map((point) => point.id),
      [id],
    );
    assert.deepEqual(await points.withSnapshots('offsite', [snapshot]), []);
  });

  it('keeps a manifest that is recorded later', async () => {
    const { points } = fixture.catalog;
    const point = aPoint();
    await points.record(point, null);
    const manifest = {
      kind: 'sqlite' as const,
      fileName: 'a"\ud800.db',
      bytes: 1,
      sha256: 'x',
      tables: { 't\0': 1 },
    };
    await points.record({ ...point, manifest }, null);
    const kept = (await points.record(point, null)).manifest;
    assert.deepEqual(kept, { ...manifest, fileName: 'a"\ufffd.db', tables: { 't\ufffd': 1 } });
  });

  it('pages points of one moment without losing any', async () => {
    const { points } = fixture.catalog;
    const takenAt = '2026-01-01T00:00:00.123Z';
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      ids.push((await points.record(aPoint({ asset: 'moment', takenAt }), null)).id);
    }
    const first = await points.list({ asset: 'moment', limit: 4 });
    const second = await points.list({ asset: 'moment', limit: 4, cursor: first.next });
    assert.deepEqual([...first.items, ...second.items].map((point) => point.id).toSorted(), ids.toSorted());
    assert.equal(second.next, null);
  });
});
