import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { whileThereIsRoom } from '../../../activities/guards/free-space.ts';
import { leftovers, restic } from '../../fixtures/restic.ts';
import { skipBecause } from '../../skip.ts';
import { withCatalog } from '../../catalog/fixture.ts';
import { recordedStep } from '../repositories/repository-fixtures.ts';
import { makeGuardedJob, type GuardedJob } from './guarded-job.ts';

describe('room for a job', function () {
  this.timeout(120_000);
  const fixture = withCatalog();
  let job: GuardedJob;
  let mounted: string | null = null;
  afterEach(async () => {
    if (mounted) execFileSync('umount', ['--', mounted]);
    mounted = null;
    await job.close();
  });
  const clock = () => new Date();
  const write = (name: string, bytes: number) => writeFile(job.at('asset', name), randomBytes(bytes));
  const mountSmall = (context: Mocha.Context, name: string) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', job.at(name)], { stdio: 'ignore' });
      mounted = job.at(name);
    } catch {
      skipBecause(context, 'only root with the right to mount can do this');
    }
  };
  const check = async () => {
    const { exitCode, stdout, stderr } = await restic(job.at('local'), job.at('key'), 'check', '--read-data');
    assert.equal(exitCode, 0, stdout + stderr);
  };

  it('is missed before anything is sent, with needed, free and path', async function () {
    job = await makeGuardedJob(fixture, clock, {});
    mountSmall(this, 'local');
    await write('large', 80_000_000);
    await assert.rejects(job.guard(), {
      type: 'repository.full',
      nonRetryable: true,
      message: 'backup of uploads to local was not begun: repository local has no room for it',
      details: [
        {
          code: 'repository.full',
          message: 'backup of uploads to local was not begun: repository local has no room for it',
          cause: `needed 77 MiB, 48 MiB free on ${job.at('local')}`,
          hint: `free space on the file system of ${job.at('local')}, or let retention drop points; what is stored stays readable`,
        },
      ],
    });
    assert.deepEqual(await readdir(job.at('local')), []);
  });

  it('that goes while a repository is written to ends the step; old points stay readable, nothing is left', async function () {
    job = await makeGuardedJob(fixture, clock, { local: 'limits: { upload: 20MiB/s }' });
    mountSmall(this, 'local');
    await write('small', 3_000_000);
    await job.store();
    await job.next();
    await write('large', 80_000_000);
    await assert.rejects(job.store(), { type: 'repository.full', nonRetryable: true });
    assert.deepEqual(await leftovers(job.at('local')), []);
    await check();
    await rm(job.at('asset', 'large'));
    await job.next();
    await job.store();
    await check();
  });

  it('ends a step that does not fill the disk itself while there is room to clear up', async function () {
    job = await makeGuardedJob(fixture, clock, {});
    mountSmall(this, 'local');
    const place = { path: job.at('local'), code: 'repository.full', name: 'repository local' } as const;
    const work = whileThereIsRoom([place], recordedStep(), 'backup of uploads', async ({ signal }) => {
      execFileSync('fallocate', ['-l', '48600k', job.at('local', 'of-others')]);
      await once(signal, 'abort', { signal: AbortSignal.timeout(60_000) });
      throw new Error('the tool was killed');
    });
    await assert.rejects(work, {
      code: 'repository.full',
      message: 'backup of uploads was stopped: repository local is nearly full',
    });
  });

  it('is looked at on the data directory as well', async function () {
    job = await makeGuardedJob(fixture, clock, {});
    mountSmall(this, 'data');
    execFileSync('fallocate', ['-l', '48600k', job.at('data', 'other')]);
    await assert.rejects(job.guard(), { type: 'staging.full', message: /the data directory has no room/ });
    await rm(job.at('data', 'other'));
    assert.equal(await job.guard(), null);
  });
});

describe('the watermarks of a repository', function () {
  this.timeout(120_000);
  const fixture = withCatalog();
  let job: GuardedJob;
  afterEach(() => job.close());
  /** A full repository is measured again after an hour. */
  let hours = 0;
  const clock = () => new Date(Date.now() + hours * 3_600_000);
  const marks = 'headroom: { highWatermark: 80%, lowWatermark: 50%, capacity: 4MB }';
  const write = (name: string, bytes: number) => writeFile(job.at('asset', name), randomBytes(bytes));
  const prune = async () => {
    const all = ['forget', '--keep-last=1', '--group-by=', '--prune', '--max-unused=0'];
    const { exitCode, stderr } = await restic(job.at('local'), job.at('key'), ...all);
    assert.equal(exitCode, 0, stderr);
  };
  const watermark = async () => (await fixture.catalog.rooms.find('local'))?.watermark;
  beforeEach(() =>
    fixture.sql('delete from repository_room; delete from repository_sizes; delete from uploads'),
  );

  it('close it to what is not critical, until it is below the low one', async () => {
    job = await makeGuardedJob(fixture, clock, { local: marks });
    await write('one', 3_500_000);
    assert.equal(await job.guard(), null);
    await job.store();
    await job.next();
    await assert.rejects(job.guard(), {
      type: 'repository.full',
      message: 'backup of uploads to local was not begun: local is above its high watermark',
    });
    assert.equal(await watermark(), 'high');
    const said = (await job.events()).join('\n');
    assert.match(said, /local has reached its high watermark: 8\d % used \(3\.\d MiB of 3\.8 MiB\)/);
    assert.match(said, /uploads is of class standard, not critical/);

    // Between the marks it stays closed, although it would not have been closed there.
    await rm(job.at('asset', 'one'));
    await write('two', 2_500_000);
    await job.store();
    await prune();
    hours += 1.1;
    await job.next();
    await assert.rejects(job.guard(), { type: 'repository.full' });

    await rm(job.at('asset', 'two'));
    await write('three', 500_000);
    await job.store();
    await prune();
    hours += 1.1;
    await job.next();
    assert.equal(await job.guard(), null);
    assert.equal(await watermark(), 'normal');
    assert.match((await job.events()).join('\n'), /local is below its low watermark again/);
    const events = (await fixture.catalog.audit.list({ limit: 100 })).items;
    assert.deepEqual(
      events.map(({ action }) => action).filter((action) => action.startsWith('repository.watermark')),
      ['repository.watermarkLifted', 'repository.watermarkReached'],
    );
  });

  it('still take a further point of a critical asset, and say so', async () => {
    job = await makeGuardedJob(fixture, clock, { local: marks, dataClass: 'critical' });
    await write('one', 3_500_000);
    await job.guard();
    await job.store();
    await job.next();
    assert.equal(await job.guard(), null);
    assert.match(
      (await job.notes()).join(),
      /local is full, 8\d % used .*: taken all the same, as uploads is critical/,
    );
    await job.store();
  });
});
