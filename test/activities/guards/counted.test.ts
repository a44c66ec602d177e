import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { withCatalog } from '../../catalog/fixture.ts';
import { until } from '../../fixtures/until.ts';
import { leftovers } from '../../fixtures/restic.ts';
import { bytesIn, makeGuardedJob, type GuardedJob } from './guarded-job.ts';

describe('what a job really sends', function () {
  this.timeout(120_000);
  const fixture = withCatalog();
  let job: GuardedJob;
  afterEach(() => job.close());

  const rows = (repository: string) =>
    fixture.sql<{ bytes: number; measured: string; attempt: number }>(
      'select bytes::int, measured, attempt from uploads where run = $1 and repository = $2 order by attempt',
      [job.jobId, repository],
    );
  const counted = async (repository: string) =>
    (await rows(repository)).reduce((sum, { bytes }) => sum + bytes, 0);
  const near = (actual: number, expected: number, what: string) =>
    assert.ok(Math.abs(actual - expected) <= expected * 0.02 + 2000, `${what}: ${actual}, not ${expected}`);

  it('is what the repositories grew by, also of a second job and of a copy', async () => {
    job = await makeGuardedJob(fixture, () => new Date(), {});
    await writeFile(job.at('asset', 'one'), randomBytes(3_000_000));
    await job.store();
    await job.copy();
    near(await counted('local'), await bytesIn(job.at('local', 'data')), 'stored');
    near(await counted('offsite'), await bytesIn(job.at('offsite', 'data')), 'copied');

    const before = [
      await bytesIn(job.at('local', 'data')),
      await bytesIn(job.at('offsite', 'data')),
    ] as const;
    await job.next();
    await writeFile(job.at('asset', 'two'), randomBytes(1_000_000));
    await job.store();
    await job.copy();
    near(await counted('local'), (await bytesIn(job.at('local', 'data'))) - before[0], 'stored again');
    near(await counted('offsite'), (await bytesIn(job.at('offsite', 'data'))) - before[1], 'copied again');
    const sends = (await rows('offsite')).length;
    await job.copy(2);
    assert.equal((await rows('offsite')).length, sends, 'what is there already is not sent again');
  });

  for (const dead of ['restic', 'the worker']) {
    it(`counts once what was sent before ${dead} was killed`, async () => {
      // Three packs and a bit, at a rate that leaves time to kill it after the first.
      job = await makeGuardedJob(fixture, () => new Date(), { local: 'limits: { upload: 20MiB/s }' });
      await writeFile(job.at('asset', 'large'), randomBytes(60_000_000));
      const environment = new MockActivityEnvironment();
      const first = job.store(1, environment).then(
        () => 'stored',
        (error: unknown) => error,
      );
      await until('a pack was sent', async () => (await bytesOfPacks(job)) > 16_000_000);
      job.killTool();
      assert.notEqual(await first, 'stored');
      const left = await bytesOfPacks(job);
      if (dead === 'the worker')
        await fixture.sql(
          `update uploads set measured = 'begun', ended_at = null, bytes = 0 where run = $1`,
          [job.jobId],
        );
      await job.store(2);

      const [killed, whole] = await rows('local');
      assert.deepEqual([killed?.measured, whole?.measured], ['found', 'sent']);
      near(killed?.bytes ?? 0, left, 'sent by the killed attempt');
      near(await counted('local'), await bytesIn(job.at('local', 'data')), 'sent in all');
      assert.deepEqual(await leftovers(job.at('local')), []);
    });
  }

  it('is an estimate where nobody looked, and no more than was read', async () => {
    job = await makeGuardedJob(fixture, () => new Date(), { local: 'limits: { upload: 1MiB/s }' });
    await writeFile(job.at('asset', 'large'), randomBytes(20_000_000));
    const environment = new MockActivityEnvironment();
    const first = job.store(1, environment).catch((error: unknown) => error);
    await until('it sends', async () =>
      (await leftovers(job.at('local')).catch(() => [])).some((name) => /data/.test(name)),
    );
    environment.cancel();
    await first;
    const [row] = await rows('local');
    assert.equal(row?.measured, 'estimated');
    assert.ok((row?.bytes ?? 0) <= 20_100_000);
  });

  async function bytesOfPacks({ at }: GuardedJob): Promise<number> {
    const inProgress = (await leftovers(at('local')).catch(() => [])).filter((name) => /data/.test(name));
    const temporary = await Promise.all(
      inProgress.map((name) =>
        stat(name).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    const all = await bytesIn(at('local', 'data')).catch(() => 0);
    return all - temporary.reduce((sum, size) => sum + size, 0);
  }
});
