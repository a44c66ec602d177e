import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Repository } from '../../activities/repositories/repository.ts';
import type { LeaseMode } from '../../domain/lease.ts';
import { withCatalog } from '../catalog/fixture.ts';
import { makeGuardedJob, type GuardedJob } from './guards/guarded-job.ts';

// A backup and a copy share their repositories. What an attempt before them left there they clear away only under a
// lease that still counts: a worker that was frozen comes back when somebody else has been alone there.

describe('what is cleared away under a shared lease', function () {
  this.timeout(180_000);
  const fixture = withCatalog();
  let job: GuardedJob;
  beforeEach(async () => {
    job = await makeGuardedJob(fixture, () => new Date(), {});
    await writeFile(job.at('asset', 'file'), randomUUID());
    job.fences = [await lease('local', 'shared'), await lease('offsite', 'shared')];
  });
  afterEach(() => job.close());

  const lease = async (repository: string, mode: LeaseMode) => {
    const request = { repository, key: randomUUID(), holder: `workflow/${mode}`, mode, after: 0 };
    return { repository, fence: await fixture.catalog.leases.grant(request) };
  };
  /** As a killed restic leaves it: it goes with the first thing that clears up there. */
  const leave = async (repository: string) => {
    const path = job.at(repository, 'data', `${'0'.repeat(64)}-tmp-7`);
    await writeFile(path, 'half a pack');
    return path;
  };

  it('goes while others share the repository', async () => {
    await job.store();
    const left = await leave('local');
    await lease('local', 'shared');
    await job.store(2);
    assert.equal(existsSync(left), false);
  });

  it('is left alone by a backup after somebody was alone there', async () => {
    await job.store();
    const left = await leave('local');
    const { fence } = await lease('local', 'exclusive');
    await assert.rejects(job.store(2), (error: { type?: string; details?: { cause: string }[] }) => {
      assert.equal(error.type, 'fenced');
      assert.match(
        error.details?.[0]?.cause ?? '',
        new RegExp(`lease ${fence} was granted to workflow/exclusive since`),
      );
      return true;
    });
    assert.ok(existsSync(left));
  });

  for (const repository of ['local', 'offsite']) {
    it(`is left alone in ${repository} by a copy after somebody was alone there`, async () => {
      await job.store();
      await job.copy();
      const left = await leave(repository);
      await lease(repository, 'exclusive');
      await assert.rejects(job.copy(2), { type: 'fenced' });
      assert.ok(existsSync(left));
    });
  }

  it('is not what a finished attempt replaced, when somebody was alone there meanwhile', async () => {
    const forgotten: string[][] = [];
    await job.store();
    const open = job.deployment.openRepository;
    let frozen = true;
    job.deployment.openRepository = async (...what) => {
      const repository = await open(...what);
      return {
        ...repository,
        store: async (...parts: Parameters<Repository['store']>) => {
          const stored = await repository.store(...parts);
          if (frozen) await lease('local', 'exclusive');
          return stored;
        },
        forget: async (ids: string[]) => {
          forgotten.push(ids);
        },
      };
    };
    await assert.rejects(job.store(2), { type: 'fenced' });
    assert.equal(forgotten.length, 0);
    frozen = false;
    job.fences = [await lease('local', 'shared')];
    await job.store(3);
    assert.equal(forgotten[0]?.length, 2, 'what both attempts left');
  });
});
