import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { aJob, withCatalog } from './fixture.ts';

describe('jobs in the catalogue', () => {
  const fixture = withCatalog();
  const failure = { code: 'source.missing', message: 'gone', cause: 'ENOENT', hint: 'bring it back' };
  const auditOf = async (id: string) =>
    (await fixture.catalog.audit.list({ subject: `job/${id}` })).items.map((event) => event.action).reverse();

  it('begins a job once, however often it is asked', async () => {
    const { jobs } = fixture.catalog;
    const job = aJob({ assets: ['orders', 'catalogue', 'uploads'] });
    const first = await jobs.begin(job);
    const again = await jobs.begin(job);
    assert.deepEqual(again, first);
    assert.deepEqual(
      first.assets.map(({ asset, status }) => [asset, status]),
      [
        ['orders', 'pending'],
        ['catalogue', 'pending'],
        ['uploads', 'pending'],
      ],
    );
    assert.equal(first.startedAt, job.startedAt);
    assert.deepEqual(await auditOf(job.id), ['job.begun']);
  });

  it('begins a job once when two ask at the same time', async () => {
    const job = aJob({ policy: 'twice' });
    const both = await Promise.all([fixture.catalog.jobs.begin(job), fixture.catalog.jobs.begin(job)]);
    assert.deepEqual(both[0], both[1]);
    assert.deepEqual(await auditOf(job.id), ['job.begun']);
  });

  it('refuses another job under an id that is taken', async () => {
    const job = await fixture.catalog.jobs.begin(aJob());
    await assert.rejects(
      fixture.catalog.jobs.begin(aJob({ id: job.id, workflowId: 'verify/other', type: 'verify' })),
      {
        code: 'request.conflict',
      },
    );
  });

  it('lets one backup of a policy run at a time, also of many that start at once', async () => {
    const { jobs } = fixture.catalog;
    const started = await Promise.allSettled(
      Array.from({ length: 8 }, () => jobs.begin(aJob({ policy: 'single' }))),
    );
    const begun = started.filter((result) => result.status === 'fulfilled').map((result) => result.value);
    assert.equal(begun.length, 1);
    for (const result of started) {
      if (result.status === 'rejected') assert.equal(result.reason.code, 'request.conflict');
    }
    await jobs.begin(aJob({ policy: 'single', type: 'verify' }));
    await jobs.end(begun[0]?.id ?? '', { status: 'cancelled' });
    await jobs.begin(aJob({ policy: 'single' }));
  });

  it('ends for good: what has ended never changes again', async () => {
    const { jobs } = fixture.catalog;
    const { id } = await jobs.begin(aJob());
    await jobs.setStatus(id, 'waiting', 'for local');
    await jobs.setStatus(id, 'waiting', 'for local, asked again');
    const said = (await fixture.catalog.audit.list({ action: 'job.waiting' })).items;
    assert.deepEqual(
      said.map(({ subject, details }) => [subject, details]),
      [[`job/${id}`, { because: 'for local' }]],
    );
    await jobs.setAsset(id, 'orders', { status: 'running' });
    await jobs.setAsset(id, 'orders', { status: 'failed', error: failure });
    const ended = await jobs.end(id, {
      status: 'failed',
      error: failure,
      endedAt: '2026-11-20T02:05:00.000Z',
    });
    assert.deepEqual(
      [ended.status, ended.endedAt, ended.error],
      ['failed', '2026-11-20T02:05:00.000Z', failure],
    );
    assert.deepEqual(await jobs.end(id, { status: 'failed' }), ended);
    await assert.rejects(jobs.end(id, { status: 'success' }), { code: 'request.conflict' });
    await assert.rejects(jobs.setStatus(id, 'running'), { code: 'request.conflict' });
    await assert.rejects(jobs.setAsset(id, 'orders', { status: 'success' }), { code: 'request.conflict' });
    await assert.rejects(jobs.setAsset(id, 'orders', { status: 'running' }), { code: 'request.conflict' });
    assert.deepEqual(await jobs.find(id), ended);
    assert.deepEqual(await auditOf(id), ['job.begun', 'job.waiting', 'job.ended']);
  });

  it('is no success while an asset is not one (law 1)', async () => {
    const { jobs } = fixture.catalog;
    const { id } = await jobs.begin(aJob({ assets: ['orders', 'uploads', 'idle'] }));
    await jobs.setAsset(id, 'orders', { status: 'success', proof: 'verified' });
    await jobs.setAsset(id, 'idle', { status: 'skipped' });
    await assert.rejects(jobs.end(id, { status: 'success' }), {
      code: 'internal',
      cause: /uploads is pending/,
    });
    await jobs.setAsset(id, 'uploads', { status: 'success' });
    assert.equal((await jobs.end(id, { status: 'success' })).status, 'success');
  });

  it('leaves no asset open when it ends', async () => {
    const { jobs } = fixture.catalog;
    const { id } = await jobs.begin(aJob({ assets: ['orders', 'uploads'] }));
    await jobs.setAsset(id, 'orders', { status: 'success' });
    const ended = await jobs.end(id, { status: 'cancelled' });
    assert.deepEqual(
      ended.assets.map(({ status, error }) => [status, error?.code ?? null]),
      [
        ['success', null],
        ['failed', 'cancelled'],
      ],
    );
  });

  it('collects notes once each and keeps what is not mentioned', async () => {
    const { jobs } = fixture.catalog;
    const { id } = await jobs.begin(aJob());
    const point = randomUUID();
    await jobs.setAsset(id, 'orders', { status: 'running', recoveryPointId: point, notes: ['one'] });
    await jobs.setAsset(id, 'orders', { proof: 'verified', notes: ['one', 'two'] });
    const [asset] = (await jobs.find(id)).assets;
    assert.deepEqual(asset, {
      asset: 'orders',
      status: 'running',
      recoveryPointId: point,
      proof: 'verified',
      error: null,
      notes: ['one', 'two'],
      progress: null,
    });
  });

  it('refuses the writes of a zombie', async () => {
    const { jobs } = fixture.catalog;
    const { id } = await jobs.begin(aJob());
    const zombie = await jobs.takeFence(id, 'orders');
    const successor = await jobs.takeFence(id, 'orders');
    const progress = {
      phase: 'upload',
      bytesDone: 1,
      bytesTotal: null,
      filesDone: 0,
      filesTotal: null,
      bytesPerSecond: 1,
      etaSeconds: null,
    };
    assert.ok(successor.number > zombie.number);
    await assert.rejects(jobs.assertFence(zombie), { code: 'fenced' });
    await assert.rejects(jobs.progress(zombie, progress), { code: 'fenced' });
    await assert.rejects(jobs.setAsset(id, 'orders', { status: 'success' }, zombie), { code: 'fenced' });
    await jobs.assertFence(successor);
    await jobs.progress(successor, progress);
    assert.deepEqual((await jobs.find(id)).assets[0]?.progress, progress);
    await assert.rejects(jobs.takeFence(id, 'nothing'), { code: 'notFound' });
  });

  it('finds a job by the beginning of its id and by its workflow', async () => {
    const { jobs } = fixture.catalog;
    const ids = ['abcd1111-0000-4000-8000-000000000000', 'abcd2222-0000-4000-8000-000000000000'];
    for (const id of ids) await jobs.begin(aJob({ id }));
    assert.equal((await jobs.find('abcd1')).id, ids[0]);
    assert.equal((await jobs.find('ABCD2222-00')).id, ids[1]);
    assert.equal((await jobs.find(`backup/${ids[1]}`)).id, ids[1]);
    await assert.rejects(jobs.find('abcd'), (error: Error & { code: string; cause: string }) => {
      assert.equal(error.code, 'usage');
      for (const id of ids) assert.ok(error.cause.includes(id));
      return true;
    });
    for (const absent of ['abc', '99999999', 'backup/none', "'; drop table jobs"]) {
      await assert.rejects(jobs.find(absent), { code: 'notFound' }, absent);
    }
  });

  it('pages without repeating or hiding a job while others begin', async () => {
    const { jobs } = fixture.catalog;
    const startedAt = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
    // Several in the same millisecond: only the id tells them apart.
    const ids: string[] = [];
    for (let index = 0; index < 10; index += 1) {
      ids.push(
        (await jobs.begin(aJob({ policy: 'paged', type: 'verify', startedAt: startedAt(index >> 2) }))).id,
      );
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await jobs.list({ policy: 'paged', limit: 3, cursor });
      seen.push(...page.items.map((job) => job.id));
      cursor = page.next;
      await jobs.begin(aJob({ policy: 'paged', type: 'verify', startedAt: startedAt(100 + seen.length) }));
    } while (cursor !== null);
    assert.deepEqual(seen.toSorted(), ids.toSorted());
    assert.equal(new Set(seen).size, ids.length);
  });

  it('lists by status and asset, newest first', async () => {
    const { jobs } = fixture.catalog;
    const job = await jobs.begin(aJob({ assets: ['rare'], startedAt: '2026-11-21T00:00:00.000Z' }));
    assert.deepEqual((await jobs.list({ asset: 'rare' })).items, [job]);
    assert.deepEqual((await jobs.list({ asset: 'rare', status: ['success', 'failed'] })).items, []);
    await assert.rejects(jobs.list({ cursor: 'bm9uc2Vuc2U' }), { code: 'usage' });
    await assert.rejects(jobs.list({ limit: 0 }), { code: 'usage' });
  });

  it('numbers what a job says, in order, each word once', async () => {
    const { jobs, jobEvents } = fixture.catalog;
    const { id } = await jobs.begin(aJob());
    const said = (index: number) => ({
      at: new Date(Date.UTC(2026, 10, 20, 2, 0, index)).toISOString(),
      level: 'info' as const,
      asset: index % 2 ? 'orders' : null,
      step: 'upload',
      message: `part ${index} \0`,
    });
    await Promise.all(Array.from({ length: 10 }, (_, index) => jobEvents.append(id, [said(index)])));
    await jobEvents.append(id, [said(3), said(10), said(11)]);
    const { items, next } = await jobEvents.list(id);
    assert.deepEqual(
      items.map((event) => event.sequence),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    );
    assert.equal(next, null);
    assert.equal(items.filter((event) => event.message === 'part 3 \ufffd').length, 1);
    const page = await jobEvents.list(id, { after: 2, limit: 4 });
    assert.deepEqual([page.items.map((event) => event.sequence), page.next], [[3, 4, 5, 6], 6]);
  });
});
