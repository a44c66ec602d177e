import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Deployment } from '../../activities/deployment.ts';
import { createRestoreSteps } from '../../activities/restore-steps.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { RepositoryFence } from '../../domain/lease.ts';

// The parts of a deployment that a safety point needs, with a repository that stored less than there is.

describe('a safety point', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'holdfast-safety-'));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  const plan = {
    restoreId: 'r-1',
    configuration: 'digest',
    asset: 'files',
    point: 'p-1',
    repository: 'local',
    include: [],
    to: null,
    hostQueue: 'host',
    bytes: 1,
    safetyRepository: 'local',
    safetyPoint: 'p-2',
    fences: [{ repository: 'local', fence: 7 }],
  };

  async function take(
    unreadable: string[],
    {
      attempt = 1,
      tooLate = false,
      needsRepair = false,
      whole = true,
      lostOnce = false,
      appendOnly = false,
    } = {},
  ) {
    const read: unknown[] = [];
    const parents: unknown[] = [];
    const marked: unknown[] = [];
    const recorded: unknown[] = [];
    const recovered: string[] = [];
    const forgotten: string[] = [];
    const part = {
      part: 'files',
      snapshotId: 'snapshot-1',
      path: '/files',
      files: 1,
      bytes: 1,
      addedBytes: 1,
    };
    const deployment = {
      catalog: {
        configurations: {
          find: async () => ({
            configuration: { folder: dataDir, repositories: [], policies: [], assets: [{ name: 'files' }] },
          }),
        },
        points: {
          find: async () => ({ copies: [{ repository: 'local', parts: [] }], manifest: null }),
          record: async (point: unknown) => recorded.push(point),
          list: async () => ({ items: [], next: null }),
          withSnapshots: async () => [],
        },
        repositories: {
          find: async () => ({ initialisedAt: '2026-01-01T00:00:00Z', needsRepair }),
          markDamaged: async (name: string) => marked.push(name),
        },
        leases: {
          assertFence: async ({ repository, fence }: RepositoryFence) => {
            assert.deepEqual([repository, fence], ['local', 7]);
            if (tooLate) throw new HoldfastError({ code: 'fenced', message: 'too late', hint: '' });
          },
        },
      },
      processes: { isOpen: async () => false, fenceOff: async () => [], release: async () => undefined },
      dataDir,
      clock: () => new Date(),
      hostQueue: 'host',
      openRepository: async () => ({
        name: 'local',
        store: async (_part: unknown, _labels: unknown, _step: unknown, parent: unknown) => {
          parents.push(parent);
          const lostFolders = lostOnce && parents.length === 1 ? ['/files/a: tree … is not known'] : [];
          return { ...part, unreadable: [...unreadable, ...lostFolders], lostFolders };
        },
        readBack: async (points: string[]) => {
          read.push(points);
          return { ok: whole, errors: whole ? [] : ['lost'], damagedSnapshots: [], damagedPacks: [] };
        },
        recover: async () => recovered.push('recover'),
        snapshots: async () => [{ id: 'left' }],
        forget: async (ids: string[]) => {
          if (appendOnly)
            throw new HoldfastError({ code: 'repository.appendOnly', message: 'kept', hint: '' });
          forgotten.push(...ids);
        },
      }),
      sourceOf: () => ({
        resolveTarget: async () => ({ description: 'in place', inPlace: true, location: '/srv/files' }),
        captureForSafety: async () => ({
          method: 'files',
          parts: [{ kind: 'folder', name: 'files' }],
          settle: async () => ({ manifest: null, notes: [] }),
          close: async () => undefined,
        }),
      }),
    } as unknown as Deployment;
    const environment = new MockActivityEnvironment(
      { attempt },
      { logger: new DefaultLogger('ERROR', () => undefined) },
    );
    const taken = await environment
      .run(() => createRestoreSteps(deployment).takeSafetyPoint(plan))
      .catch((thrown: unknown) => {
        assert.ok(thrown instanceof ApplicationFailure, String(thrown));
        return thrown.type;
      });
    return {
      taken,
      recorded: recorded.length,
      recovered: recovered.length,
      forgotten,
      marked,
      read,
      parents,
    };
  }

  it('that could not hold every file stops the restore, because the old data would be cleared away', async () => {
    const { taken, recorded, forgotten } = await take(['/srv/files/secret: permission denied']);
    assert.deepEqual([taken, recorded, forgotten], ['source.partial', 0, ['snapshot-1']]);
  });

  it('is read back where damage was found in the repository, and stands if it is whole', async () => {
    const { taken, recorded, read } = await take([], { needsRepair: true });
    assert.deepEqual([taken, recorded, read], ['p-2', 1, [['p-2']]]);
    assert.deepEqual((await take([])).read, [], 'a sound repository is believed');
  });

  it('that does not read back whole stops the restore, and what was found is kept', async () => {
    const { taken, recorded, forgotten, marked } = await take([], { needsRepair: true, whole: false });
    assert.deepEqual([taken, recorded, forgotten], ['repository.damaged', 0, ['snapshot-1']]);
    assert.deepEqual(marked, ['local']);
  });

  it('is taken anew, and read back, where a folder of what it was compared with is lost', async () => {
    const { taken, recorded, forgotten, read, parents } = await take([], { lostOnce: true });
    assert.deepEqual([taken, recorded, forgotten], ['p-2', 1, ['snapshot-1']]);
    assert.deepEqual([parents, read], [[undefined, null], [['p-2']]]);
  });

  it('says what is wrong also where nothing may be removed', async () => {
    const { taken } = await take(['/srv/files/secret: permission denied'], { appendOnly: true, attempt: 2 });
    assert.equal(taken, 'source.partial');
  });

  it('does not mind a file that vanished while it was taken', async () => {
    const { taken, recorded } = await take(['/srv/files/gone: no such file or directory']);
    assert.deepEqual([taken, recorded], ['p-2', 1]);
  });

  it('forgets what an attempt before it left', async () => {
    const { taken, recovered, forgotten } = await take([], { attempt: 2 });
    assert.deepEqual([taken, recovered, forgotten], ['p-2', 1, ['left']]);
  });

  it('clears nothing away under a lease that does not count any more', async () => {
    for (const attempt of [1, 2]) {
      const { recorded, recovered, forgotten } = await take(['/srv/files/secret: denied'], {
        ...{ attempt, tooLate: true },
      });
      assert.deepEqual([recorded, recovered, forgotten], [0, 0, []]);
    }
  });
});
