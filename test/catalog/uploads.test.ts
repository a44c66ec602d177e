import assert from 'node:assert/strict';
import { aCopy, aJob, aPoint, withCatalog } from './fixture.ts';

describe('what is sent to a repository', () => {
  const fixture = withCatalog();
  const MiB = 2 ** 20;
  const budget = { bytes: 100 * MiB, resetSeconds: 0 };
  const at = (time: string) => new Date(`2026-11-${time}Z`);
  let repository = '';
  let count = 0;
  beforeEach(() => {
    repository = `repository-${(count += 1)}`;
  });

  const begun = async (assets = ['orders']) => {
    const job = await fixture.catalog.jobs.begin(aJob({ assets }));
    for (const asset of assets) await fixture.catalog.jobs.setAsset(job.id, asset, { status: 'running' });
    return job.id;
  };
  const attempt = (run: string, more: object = {}) =>
    ({ run, asset: 'orders', repository, step: 'store', attempt: 1, ...more }) as const;
  const sent = async (run: string, mebibytes: number, from: string, to = from, more: object = {}) => {
    await fixture.catalog.uploads.begin(attempt(run, more), at(from).toISOString());
    const end = { bytes: mebibytes * MiB, measured: 'sent', at: at(to).toISOString() } as const;
    await fixture.catalog.uploads.end(attempt(run, more), end);
  };
  const onDay = async (day: number) =>
    (await fixture.catalog.uploads.sentBetween(
      repository,
      at(`${day}T00:00:00`).toISOString(),
      at(`${day + 1}T00:00:00`).toISOString(),
    )) / MiB;
  const ask = (jobId: string, mebibytes: number, now: Date, asset = 'orders') =>
    fixture.catalog.uploads.reserve({ jobId, asset, repository }, { budget, expected: mebibytes * MiB }, now);
  const eventsOf = async (jobId: string) =>
    (await fixture.catalog.jobEvents.list(jobId)).items.map(({ message }) => message);

  it('is counted once for each attempt, however often it is told', async () => {
    const run = await begun();
    await sent(run, 30, '20T10:00:00');
    await sent(run, 30, '20T10:00:00');
    await sent(run, 5, '20T11:00:00', '20T11:00:00', { attempt: 2 });
    await sent(run, 7, '20T11:00:00', '20T11:00:00', { asset: 'uploads' });
    assert.equal(await onDay(20), 42);
    assert.equal(await onDay(19), 0);
  });

  it('belongs to both days, in proportion, when it lasted over a reset', async () => {
    await sent(await begun(), 90, '20T22:00:00', '21T01:00:00');
    assert.deepEqual([await onDay(20), await onDay(21), await onDay(22)], [60, 30, 0]);
  });

  it('is what was found, where an estimate was made before', async () => {
    const run = await begun();
    const { uploads } = fixture.catalog;
    await uploads.begin(attempt(run), at('20T10:00:00').toISOString());
    assert.deepEqual(
      (await uploads.unfinished(attempt(run, { attempt: 2 }))).map(({ endedAt }) => endedAt),
      [null],
    );
    const end = { at: at('20T10:05:00').toISOString() };
    await uploads.end(attempt(run), { ...end, bytes: 50 * MiB, measured: 'estimated' });
    assert.equal(await onDay(20), 50);
    await uploads.end(attempt(run), { ...end, bytes: 20 * MiB, measured: 'found' });
    assert.equal(await onDay(20), 20);
    assert.deepEqual(await uploads.unfinished(attempt(run, { attempt: 2 })), []);
  });

  it('is expected from the last ones, from the first alone as a tenth, and from older points', async () => {
    const { uploads, points } = fixture.catalog;
    assert.equal(await uploads.expected('orders', repository), null);
    const takenAt = at('01T10:00:00').toISOString();
    await points.record(aPoint({ takenAt, addedBytes: 500, copies: [aCopy(repository, takenAt)] }), null);
    assert.equal(await uploads.expected('orders', repository), 50);
    for (const [index, size] of [100, 3, 1, 2].entries()) {
      await sent(await begun(), size, `1${index}T10:00:00`);
      if (index === 0) assert.equal(await uploads.expected('orders', repository), 10 * MiB);
    }
    assert.equal(await uploads.expected('orders', repository), 2 * MiB);
  });

  it('is expected for one send, also after a run that sent many points of the asset', async () => {
    const run = await begun();
    const { uploads } = fixture.catalog;
    const copy = (number: number) => ({ step: 'copy', attempt: number });
    for (const number of [1, 2, 3, 4, 5, 6, 8])
      await sent(run, 10, `2${number}T10:00:00`, undefined, copy(number));
    assert.equal(await uploads.expected('orders', repository), 10 * MiB);
    const failed = attempt(run, copy(9));
    await uploads.begin(failed, at('29T10:00:00').toISOString());
    const end = { bytes: 5 * MiB, measured: 'estimated', at: at('29T10:01:00').toISOString() } as const;
    await uploads.end(failed, end);
    for (const number of [10, 11, 12, 13]) await sent(run, 90, '30T10:00:00', undefined, copy(number));
    assert.equal(await uploads.expected('orders', repository), 90 * MiB);
  });

  it('is promised to one of two who ask at once for what only one can have', async () => {
    const jobs = await Promise.all([begun(), begun()]);
    const noon = at('20T12:00:00');
    const decisions = await Promise.all(jobs.map((job) => ask(job, 60, noon)));
    assert.deepEqual(decisions.map(({ go }) => go).sort(), [false, true]);
    const lucky = jobs[decisions.findIndex(({ go }) => go)]!;
    assert.deepEqual(
      await ask(lucky, 60, noon),
      { go: true, overrun: 0 },
      'asked again, it was promised twice',
    );
  });

  it('frees what was promised when it was sent, and when the asset has ended', async () => {
    const noon = at('20T12:00:00');
    const first = await begun();
    assert.equal((await ask(first, 60, noon)).go, true);
    await sent(first, 10, '20T12:10:00');
    const second = await begun();
    assert.equal((await ask(second, 60, noon)).go, true, '10 were sent of 60 promised');
    const third = await begun();
    assert.equal((await ask(third, 50, noon)).go, false);
    await fixture.catalog.jobs.setAsset(second, 'orders', { status: 'failed' });
    assert.equal((await ask(third, 50, noon)).go, true);
  });

  it('makes the job wait, with a reason and on the audit chain, until the next day', async () => {
    await sent(await begun(), 95, '20T10:00:00');
    const job = await begun();
    const { jobs, uploads } = fixture.catalog;
    const evening = at('20T20:00:00');
    assert.deepEqual(await ask(job, 10, evening), { go: false, until: '2026-11-21T00:00:00.000Z' });
    await ask(job, 10, evening);
    assert.equal((await jobs.find(job)).status, 'waiting');
    await jobs.setStatus(job, 'running');
    assert.equal((await jobs.find(job)).status, 'waiting', 'a lease it got is not all it waits for');
    assert.deepEqual(await eventsOf(job), [
      `orders waits for the upload budget of ${repository}: 95 MiB of 100 MiB are used today, ` +
        'about 10 MiB are expected; it goes on at 2026-11-21T00:00:00.000Z',
    ]);
    assert.deepEqual(
      (await uploads.waiting()).filter((wait) => wait.repository === repository).map(({ until }) => until),
      ['2026-11-21T00:00:00.000Z'],
    );
    assert.equal((await ask(job, 10, at('21T00:00:01'))).go, true);
    assert.equal((await jobs.find(job)).status, 'running');
    assert.match((await eventsOf(job))[1]!, /^orders goes on/);
    const actions = (await fixture.catalog.audit.list({ limit: 2 })).items.map(({ action }) => action);
    assert.deepEqual(actions, ['job.resumed', 'job.deferred']);
    await jobs.setStatus(job, 'waiting');
    assert.equal(
      (await jobs.setStatus(job, 'running')).status,
      'running',
      'nothing of it waits for a budget',
    );
  });

  it('lets a job go on only when nothing of it waits any more', async () => {
    await sent(await begun(), 100, '20T10:00:00');
    const job = await begun(['orders', 'uploads']);
    await ask(job, 60, at('20T20:00:00'));
    await ask(job, 60, at('20T20:00:00'), 'uploads');
    assert.equal((await ask(job, 60, at('21T00:00:01'))).go, true);
    assert.equal((await ask(job, 60, at('21T00:00:01'), 'uploads')).go, false);
    assert.equal((await fixture.catalog.jobs.find(job)).status, 'waiting');
    // Until it has ended, what it was promised counts.
    await sent(job, 60, '21T03:00:00');
    assert.equal((await ask(job, 60, at('22T00:00:01'), 'uploads')).go, true);
    assert.equal((await fixture.catalog.jobs.find(job)).status, 'running');
  });

  it('is not kept from one asset by another of its job that ended while it waited', async () => {
    await sent(await begun(), 100, '20T10:00:00');
    const job = await begun(['orders', 'uploads']);
    await ask(job, 60, at('20T20:00:00'));
    await ask(job, 60, at('20T20:00:00'), 'uploads');
    await fixture.catalog.jobs.setAsset(job, 'orders', { status: 'failed' });
    assert.equal((await ask(job, 60, at('21T00:00:01'), 'uploads')).go, true);
    assert.equal((await fixture.catalog.jobs.find(job)).status, 'running');
    const waits = (await fixture.catalog.uploads.waiting()).filter((wait) => wait.jobId === job);
    assert.deepEqual(waits, []);
  });

  it('goes first to who waits longer', async () => {
    await sent(await begun(), 100, '20T10:00:00');
    const [older, younger] = [await begun(), await begun()];
    await ask(older, 60, at('20T20:00:00'));
    await ask(younger, 60, at('20T21:00:00'));
    const morning = at('21T00:00:01');
    assert.equal((await ask(await begun(), 60, morning)).go, false, 'a new one goes before both');
    assert.equal((await ask(younger, 60, morning)).go, false, 'the younger one goes first');
    assert.equal((await ask(older, 60, morning)).go, true);
  });

  it('lets what no day could hold go after one reset, and says so', async () => {
    await sent(await begun(), 1, '20T10:00:00');
    const job = await begun();
    assert.equal((await ask(job, 300, at('20T20:00:00'))).go, false);
    await sent(await begun(), 5, '21T00:00:01');
    assert.deepEqual(await ask(job, 300, at('21T00:00:02')), { go: true, overrun: 205 * MiB });
    assert.match((await eventsOf(job)).join('\n'), /larger than the upload budget of .* for a whole day/);
    const actions = (await fixture.catalog.audit.list({ limit: 2 })).items.map(({ action }) => action);
    assert.ok(actions.includes('upload.overBudget'));
  });

  describe('and its room', () => {
    const room = (percent: number, watermark: 'normal' | 'high') => ({
      usedBytes: percent,
      capacityBytes: 100,
      freeBytes: 100 - percent,
      watermark,
    });
    it('is kept with the side of its watermarks, whose changes are on the audit chain', async () => {
      const { rooms, audit } = fixture.catalog;
      await rooms.note(repository, room(50, 'normal'), at('20T01:00:00').toISOString());
      await rooms.note(repository, room(96, 'high'), at('20T02:00:00').toISOString());
      await rooms.note(repository, room(92, 'high'), at('20T03:00:00').toISOString());
      const found = await rooms.find(repository);
      assert.deepEqual(
        [found?.watermark, found?.usedBytes, found?.since],
        ['high', 92, '2026-11-20T02:00:00.000Z'],
      );
      await rooms.note(repository, room(80, 'normal'), at('20T04:00:00').toISOString());
      const events = (await audit.list({ limit: 10 })).items.filter((event) =>
        event.subject.endsWith(repository),
      );
      assert.deepEqual(
        events.map(({ action }) => action),
        ['repository.watermarkLifted', 'repository.watermarkReached'],
      );
    });

    it('is used by what it said it holds and what was sent since', async () => {
      const { rooms, objectives } = fixture.catalog;
      const now = at('20T13:00:00').toISOString();
      const measured = (bytes: number, time: string) =>
        objectives.recordSize(repository, {
          at: at(time).toISOString(),
          ...{ storedBytes: bytes, freeBytes: null },
        });
      assert.deepEqual(await rooms.size(repository, now), { bytes: 0, measuredAt: null });
      await sent(await begun(), 30, '20T10:00:00');
      assert.equal((await rooms.size(repository, now)).bytes, 30 * MiB);
      await measured(12 * MiB, '20T11:00:00');
      await sent(await begun(), 5, '20T12:00:00');
      assert.equal((await rooms.size(repository, now)).bytes, 17 * MiB);
      await measured(99 * MiB, '21T11:00:00');
      assert.equal((await rooms.size(repository, now)).bytes, 17 * MiB, 'a clock that was ahead');
    });
  });
});
