import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { forgetOldRecords } from '../../workers/forget-records.ts';
import { aJob, runSql, withCatalog } from './fixture.ts';

const DAY = 86_400_000;

describe('old records', () => {
  const fixture = withCatalog();
  const now = new Date();
  const ago = (days: number) => new Date(now.getTime() - days * DAY).toISOString();
  const forget = (at = now) => forgetOldRecords(fixture.catalog, at);
  const column = async (select: string) =>
    (await fixture.sql<{ is: string }>(select)).map((row) => row.is).sort();

  beforeEach(() =>
    fixture.sql(
      'truncate jobs, job_assets, uploads, notification_messages, key_uses, repository_sizes cascade',
    ),
  );

  async function job(startedDaysAgo: number, open = false): Promise<string> {
    const { jobs } = fixture.catalog;
    const { id } = await jobs.begin(aJob({ type: 'verify', startedAt: ago(startedDaysAgo) }));
    if (!open) await jobs.end(id, { status: 'cancelled', endedAt: ago(startedDaysAgo) });
    return id;
  }

  describe('of uploads', () => {
    const uploaded = async (run: string, daysAgo: number, repository = 'local', ended = true) => {
      const upload = { run, asset: 'orders', repository, step: 'store', attempt: 1 } as const;
      await fixture.catalog.uploads.begin(upload, ago(daysAgo));
      const end = { bytes: 7, measured: 'sent', at: ago(daysAgo) } as const;
      if (ended) await fixture.catalog.uploads.end(upload, end);
    };
    const kept = () => column('select run as is from uploads');
    const measured = (daysAgo: number) =>
      fixture.catalog.objectives.recordSize('local', {
        at: ago(daysAgo),
        ...{ storedBytes: 1, freeBytes: null },
      });

    it('go after 90 days but for the six that the next one is judged by', async () => {
      await measured(0);
      for (let daysAgo = 85; daysAgo < 103; daysAgo += 1) await uploaded(`run ${daysAgo}`, daysAgo);
      const expected = await fixture.catalog.uploads.expected('orders', 'local');
      await forget();
      assert.deepEqual(await kept(), ['run 85', 'run 86', 'run 87', 'run 88', 'run 89', 'run 90']);
      assert.equal(await fixture.catalog.uploads.expected('orders', 'local'), expected);
      const told = async () => (await fixture.catalog.audit.list({ action: 'records.forgotten' })).items;
      const before = await told();
      assert.equal(before[0]?.details['uploads'], 12);
      await forget();
      assert.deepEqual(await told(), before, 'nothing was left to forget');
    });

    it('stay while their job runs, and as long as their repository was not measured since', async () => {
      const [running, ended] = [await job(100, true), await job(100)];
      await uploaded(running, 100, 'local', false);
      await uploaded(ended, 100, 'local', false);
      for (let daysAgo = 100; daysAgo < 110; daysAgo += 1) await uploaded(`run ${daysAgo}`, daysAgo);
      await forget();
      assert.deepEqual((await kept()).length, 11, 'never measured: only what a dead worker left is gone');
      assert.ok(!(await kept()).includes(ended));
      await measured(107.5);
      await forget();
      assert.deepEqual((await kept()).length, 9, 'of before it');
      assert.ok((await kept()).includes(running));
    });
  });

  it('of messages go when they were settled that long ago; a ping is never sent again for it', async () => {
    const put = (id: string, settledDaysAgo: number | null, about: string | null, policy: string) =>
      fixture.sql(
        `insert into notification_messages
           (id, channel, content, about, created_at, next_attempt_at, settled_at, outcome)
         values ($1, 'ops', jsonb_build_object('policy', $2::text), $3, $4, $4, $5, $6)`,
        [
          ...[id, policy, about, ago(200), settledDaysAgo === null ? null : ago(settledDaysAgo)],
          settledDaysAgo === null ? null : 'delivered',
        ],
      );
    const [old, young, waiting] = [randomUUID(), randomUUID(), randomUUID()];
    await put(old, 92, null, '');
    await put(young, 88, null, '');
    await put(waiting, null, null, '');
    for (let n = 0; n < 25; n += 1) await put(randomUUID(), 150, `job ${n} success`, 'often');
    await put(randomUUID(), 150, 'job x success', 'paused');
    await forget();
    assert.deepEqual(
      await column('select id::text as is from notification_messages where about is null'),
      [young, waiting].sort(),
    );
    const pings = await column('select about as is from notification_messages where about is not null');
    assert.equal(pings.length, 21);
    assert.ok(pings.includes('job x success') && !pings.includes('job 4 success'));
  });

  it('of key uses go with jobs that ended that long ago, and their events stay', async () => {
    const { keyUses, audit } = fixture.catalog;
    const [old, young, running] = [await job(95), await job(80), await job(95, true)];
    for (const subject of [`job/${old}`, `job/${young}`, `job/${running}`, 'repository/local', 'job/strange'])
      await keyUses.record(subject, 'env:KEY');
    await fixture.sql('update key_uses set first_used_at = $1', [ago(95)]);
    await forget();
    assert.deepEqual(
      await column('select subject as is from key_uses'),
      [`job/${young}`, `job/${running}`, 'repository/local', 'job/strange'].sort(),
    );
    assert.equal((await audit.list({ action: 'secret.used', subject: `job/${old}` })).items.length, 1);
  });

  it('are old by the clock of the database, too, and go in no other way', async () => {
    const id = randomUUID();
    await fixture.catalog.objectives.recordSize('local', { at: ago(0), storedBytes: 1, freeBytes: null });
    await fixture.sql(
      `insert into notification_messages (id, channel, content, created_at, next_attempt_at, settled_at, outcome)
       values ($1, 'ops', '{}', $2, $2, $2, 'delivered')`,
      [id, ago(80)],
    );
    await forget(new Date(now.getTime() + 365 * DAY));
    assert.deepEqual(await column('select id::text as is from notification_messages'), [id]);
    for (const table of [
      'uploads',
      'notification_messages',
      'key_uses',
      'upload_waits',
      'upload_reservations',
    ])
      await assert.rejects(runSql(fixture.applicationUrl, `delete from ${table}`), /permission denied/);
  });
});
