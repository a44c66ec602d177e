import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Fence } from '../../catalog/index.ts';
import { aConfiguration, aJob, aPoint, withCatalog } from './fixture.ts';

const NOW = new Date('2026-11-20T12:00:00.000Z');
const DAY = 86_400_000;

describe('the counts that objectives are judged by', () => {
  const fixture = withCatalog();
  const ago = (days: number) => new Date(NOW.getTime() - days * DAY).toISOString();
  const figuresOf = async (asset: string, policy: string | null) =>
    (await fixture.catalog.objectives.assetFigures(NOW)).find(
      (figures) => figures.asset === asset && figures.policy === policy,
    );

  it('are those of the raw rows, whatever ran in which order and however often', async () => {
    const random = seeded(20261120);
    const pick = <T>(...from: T[]): T => from[Math.floor(random() * from.length)] as T;
    for (let run = 0; run < 150; run += 1) await randomRun(random, pick);

    for (const { asset, policy, ...counted } of await fixture.catalog.objectives.assetFigures(NOW)) {
      const window = async (days: number) => {
        const [row] = await fixture.sql<Record<string, number>>(RAW, [
          asset,
          policy,
          days,
          NOW.toISOString(),
        ]);
        return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]));
      };
      for (const [name, days] of [
        ['days7', 7],
        ['days30', 30],
        ['days90', 90],
      ] as const) {
        const raw = await window(days);
        assert.deepEqual(
          {
            ...counted.backups[name],
            validated: counted.validations[name].succeeded,
            invalid: counted.validations[name].failed,
            added: counted.addedBytes[name],
          },
          { ...raw, missed: 0 },
          `${asset} of ${policy} in ${days} days`,
        );
      }
    }
    const all = await fixture.catalog.objectives.assetFigures(NOW);
    assert.equal(all.length, 5, 'two assets in two policies, and the restores of one');
    assert.ok(all.every(({ policy, backups }) => policy === null || backups.days90.failed > 0));
  });

  it('take back a success that became a failure', async () => {
    const job = await begun({ policy: 'taken-back', assets: ['ledger'] });
    await fixture.catalog.jobs.setAsset(job, 'ledger', { status: 'success' });
    assert.deepEqual((await figuresOf('ledger', 'taken-back'))?.backups.days7, counts(1, 0, 0));
    await fixture.catalog.jobs.setAsset(job, 'ledger', { status: 'failed' });
    assert.deepEqual((await figuresOf('ledger', 'taken-back'))?.backups.days7, counts(0, 1, 0));
  });

  it('leave out what a person cancelled', async () => {
    const job = await begun({ policy: 'cancelled', assets: ['ledger'] });
    await fixture.catalog.jobs.end(job, { status: 'cancelled' });
    assert.deepEqual((await figuresOf('ledger', 'cancelled'))?.backups.days90, counts(0, 0, 0));
  });

  it('say a rehearsal by its last word, and refuse that of a zombie', async () => {
    const { jobs, objectives } = fixture.catalog;
    const job = await begun({ policy: 'rehearsed', assets: ['ledger'] });
    const zombie = await jobs.takeFence(job, 'ledger');
    await objectives.recordRehearsal(zombie, false);
    const fence = await jobs.takeFence(job, 'ledger');
    await objectives.recordRehearsal(fence, true);
    await objectives.recordRehearsal(fence, true);
    await assert.rejects(objectives.recordRehearsal(zombie, false), { code: 'fenced' });
    assert.deepEqual((await figuresOf('ledger', 'rehearsed'))?.validations.days7, counts(1, 0, 0));
  });

  it('average what storing took, day by day, and a repeated step as it went last', async () => {
    const { durations } = fixture.catalog;
    for (const [seconds, days] of [
      [10, 0],
      [30, 0],
      [5, 8],
      [600, 40],
    ] as const) {
      const run = await begun({ policy: 'timed', assets: ['ledger'] });
      const measured = { run, asset: 'ledger', step: 'store' as const, bytes: 1, endedAt: ago(days) };
      await durations.record({ ...measured, seconds: 999, endedAt: ago(days + 1) });
      await durations.record({ ...measured, seconds });
      await fixture.catalog.jobs.end(run, { status: 'failed' });
    }
    const storing = (await figuresOf('ledger', 'timed'))?.storing.toSorted((a, b) => a.daysAgo - b.daysAgo);
    assert.deepEqual(storing, [
      { daysAgo: 0, seconds: 20 },
      { daysAgo: 8, seconds: 5 },
    ]);
  });

  describe('of missed runs', () => {
    const policy = { ...aConfiguration().policies[0]!, cadence: { kind: 'every' as const, seconds: 86_400 } };

    before(async () => {
      await fixture.catalog.configurations.apply(aConfiguration({ policies: [policy] }));
      await fixture.sql(`update policies set since = $1`, [ago(60)]);
    });

    const scheduled = async (startedAt: string, id: string = randomUUID()) => {
      const job = aJob({ id, policy: 'critical', trigger: 'schedule', startedAt, assets: policy.assets });
      await fixture.catalog.jobs.begin(job);
      await fixture.catalog.jobs.begin(job);
      await fixture.catalog.jobs.end(id, { status: 'failed' });
    };
    const missed = async () => (await figuresOf('uploads', 'critical'))?.backups.days90.missed;

    it('counts what lies between two scheduled runs, once, for each asset', async () => {
      await scheduled('2026-11-01T00:00:05.000Z');
      const before = await missed();
      await scheduled('2026-11-02T00:00:05.000Z');
      assert.equal(await missed(), before, 'none between two days that follow each other');
      await scheduled('2026-11-06T07:00:00.000Z');
      assert.equal(await missed(), (before ?? 0) + 3, '3, 4 and 5 November; that of the 6th was made up for');
    });

    it('counts what was missed before a pause, and nothing that was due in it', async () => {
      const { policyPauses } = fixture.catalog;
      const before = (await missed()) ?? 0;
      await policyPauses.pause('critical', 'a new disk', '2026-11-08T12:00:00.000Z');
      await policyPauses.pause('critical', 'again', '2026-11-09T12:00:00.000Z');
      assert.equal(await missed(), before + 2, '7 and 8 November');
      await policyPauses.resume('critical', 'it is in', '2026-11-10T12:00:00.000Z');
      await scheduled('2026-11-11T00:00:05.000Z');
      assert.equal(await missed(), before + 2);
    });

    it('is not asked of runs by hand, nor of a policy before it was what it is', async () => {
      const before = await missed();
      const job = await fixture.catalog.jobs.begin(
        aJob({ policy: 'critical', startedAt: '2026-11-12T00:00:00.000Z', assets: policy.assets }),
      );
      await fixture.catalog.jobs.end(job.id, { status: 'failed' });
      assert.equal(await missed(), before);
      assert.equal(
        (await fixture.catalog.objectives.countedUntil()).get('critical'),
        '2026-11-11T00:00:05.000Z',
      );
      await fixture.sql(`update policies set since = '2026-11-14T12:00:00Z'`);
      await scheduled('2026-11-15T00:00:01.000Z');
      assert.equal(await missed(), before);
    });
  });

  it('keep the last size of each day of a repository', async () => {
    const { objectives } = fixture.catalog;
    const size = (at: string, storedBytes: number) => ({ at, storedBytes, freeBytes: null });
    assert.equal(await objectives.lastSize('local'), null);
    await objectives.recordSize('local', size('2026-11-19T23:00:00.000Z', 10));
    await objectives.recordSize('local', size('2026-11-20T01:00:00.000Z', 30));
    await objectives.recordSize('local', size('2026-11-19T22:00:00.000Z', 5));
    await objectives.recordSize('local', size('2026-11-20T03:00:00.000Z', 20));
    assert.deepEqual((await objectives.sizes(new Date('2026-11-01'))).get('local'), [
      size('2026-11-19T23:00:00.000Z', 10),
      size('2026-11-20T03:00:00.000Z', 20),
    ]);
    assert.deepEqual(await objectives.lastSize('local'), size('2026-11-20T03:00:00.000Z', 20));
  });

  async function begun(changes: Parameters<typeof aJob>[0]): Promise<string> {
    return (await fixture.catalog.jobs.begin(aJob({ startedAt: ago(0), ...changes }))).id;
  }

  /** A backup, verification or restore of two assets, told twice where it pleases. */
  async function randomRun(random: () => number, pick: <T>(...from: T[]) => T): Promise<void> {
    const { jobs, points, objectives, durations, restores } = fixture.catalog;
    const startedAt = ago(random() * 110);
    if (random() < 0.2) {
      const { id } = await restores.create({
        requestId: randomUUID(),
        asset: 'orders',
        point: 'latest',
        target: 'in place',
        include: [],
      });
      await fixture.sql('update restores set created_at = $2 where number = $1', [
        Number(id.slice(2)),
        startedAt,
      ]);
      const ok = random() < 0.7;
      const validation = { ok, checks: [] };
      if (random() < 0.8) await restores.update(id, { validation });
      if (random() < 0.8)
        await restores.update(id, { status: 'failed', error: failure(pick('proof.failed', 'staging.full')) });
      return;
    }
    const policy = pick('nightly', 'hourly');
    const type = pick('backup' as const, 'backup' as const, 'verify' as const);
    const { id } = await jobs.begin(aJob({ policy, type, startedAt, assets: ['orders', 'uploads'] }));
    for (const asset of ['orders', 'uploads']) {
      const fence: Fence = await jobs.takeFence(id, asset);
      const again = random() < 0.3 ? 2 : 1;
      if (type === 'backup' && random() < 0.9) {
        const point = aPoint({ asset, policy, jobId: id, kind: 'regular', takenAt: startedAt });
        for (let time = 0; time < again; time += 1)
          await points.record({ ...point, addedBytes: Math.floor(random() * 1000) }, fence);
      }
      if (random() < 0.5) await objectives.recordRehearsal(fence, random() < 0.8);
      await durations.record({
        run: id,
        asset,
        step: 'rehearse',
        seconds: random(),
        bytes: 1,
        endedAt: startedAt,
      });
      const status = pick(
        'success' as const,
        'success' as const,
        'failed' as const,
        'skipped' as const,
        null,
      );
      if (status === null) continue;
      const error = status === 'failed' ? failure('source.missing') : null;
      for (let time = 0; time < again; time += 1) await jobs.setAsset(id, asset, { status, error });
      if (status === 'success' && random() < 0.1)
        await jobs.setAsset(id, asset, { status: 'failed', error: failure('proof.failed') });
    }
    const ending = { status: pick('failed' as const, 'cancelled' as const) };
    await jobs.end(id, ending);
    await jobs.end(id, ending);
  }
});

const counts = (succeeded: number, failed: number, missed: number) => ({ succeeded, failed, missed });

const failure = (code: string) => ({ code, message: code, cause: '', hint: '' });

/** The same figures, counted from every row. */
const RAW = `
  with recent as (
    select job_assets.*, coalesce(job_assets.error ->> 'code', '') as code
      from job_assets join jobs on jobs.id = job_id
     where asset = $1 and policy is not distinct from $2
       and (job_started_at at time zone 'UTC')::date > ($4::timestamptz at time zone 'UTC')::date - $3::integer),
  restored as (
    select coalesce((validation ->> 'ok')::boolean,
      case when status = 'failed' and error ->> 'code' in ('proof.failed', 'repository.damaged') then false end) as ok
      from restores where $2::text is null and asset = $1
       and (created_at at time zone 'UTC')::date > ($4::timestamptz at time zone 'UTC')::date - $3::integer)
  select
    (select count(*) from recent where job_type = 'backup' and status = 'success') as succeeded,
    (select count(*) from recent where job_type = 'backup' and status = 'failed' and code <> 'cancelled') as failed,
    (select count(*) from recent where rehearsed) + (select count(*) from restored where ok) as validated,
    (select count(*) from recent where not rehearsed) + (select count(*) from restored where not ok) as invalid,
    (select coalesce(sum(added_bytes), 0) from recovery_points
      where asset = $1 and policy is not distinct from $2
        and (taken_at at time zone 'UTC')::date > ($4::timestamptz at time zone 'UTC')::date - $3::integer) as added`;

/** The same numbers every time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
