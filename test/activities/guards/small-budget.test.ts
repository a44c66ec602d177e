import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { withCatalog } from '../../catalog/fixture.ts';
import { makeGuardedJob, type GuardedJob } from './guarded-job.ts';

describe('a budget that is too small', function () {
  this.timeout(120_000);
  const fixture = withCatalog();
  let job: GuardedJob | undefined;
  afterEach(() => job?.close());

  it('for one pack is refused with the configuration, before anything could wait for it for ever', async () => {
    await assert.rejects(
      makeGuardedJob(fixture, () => new Date(), { local: 'limits: { dailyUpload: 15MiB }' }),
      { cause: /must hold one pack of restic's \(16 MiB\).*nothing could be sent under 32 MiB/s },
    );
  });

  it('for what is sent lets it go once, and what comes next waits for one reset and no longer', async () => {
    let now = new Date('2026-11-20T10:00:00Z');
    job = await makeGuardedJob(fixture, () => now, { local: 'limits: { dailyUpload: 32MiB }' });
    await writeFile(job.at('asset', 'one'), randomBytes(40_000_000));
    assert.equal(await job.guard(), null);
    await job.store();
    assert.match((await job.events()).join('\n'), /larger than the upload budget of local for a whole day/);

    await job.next();
    await writeFile(job.at('asset', 'two'), randomBytes(40_000_000));
    const goesOnAt = '2026-11-21T00:00:00.000Z';
    assert.equal(await job.guard(), goesOnAt);
    assert.equal(await job.guard(), goesOnAt, 'asked again it is told the same');
    now = new Date(goesOnAt);
    assert.equal(await job.guard(), null);
    await job.store();
  });
});
