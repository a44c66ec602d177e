import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createBackupSteps } from '../../activities/backup-steps.ts';
import type { Deployment } from '../../activities/deployment.ts';
import { derivedId } from '../../activities/derived-id.ts';
import { createProcessFence } from '../../activities/hosts/process-fence.ts';
import { createLookSteps } from '../../activities/look-steps.ts';
import { restoreParts } from '../../activities/proof-steps.ts';
import type { Repository } from '../../activities/repositories/repository.ts';
import type { RecoveryPoint } from '../../domain/recovery-point.ts';
import { aConfiguration, aJob, withCatalog, type Fixture } from '../catalog/fixture.ts';
import {
  folderPart,
  labels,
  randomFiles,
  recordedStep,
  removeFolder,
  repositoryAt,
  temporaryFolder,
} from './repositories/repository-fixtures.ts';

/** Has a file that nobody may read, root neither. */
const PARTLY_READABLE = '/proc/sys/net/ipv4/route';

describe('a catalogue that was lost', function () {
  this.timeout(180_000);
  const lost = withCatalog();
  const rebuilt = withCatalog();
  const repositories = new Map<string, Repository>();
  let room: string;
  let readable: string;
  before(async () => {
    room = await temporaryFolder();
    readable = join(room, 'readable');
    await randomFiles(readable, 3, 1000);
    for (const name of ['local', 'offsite']) {
      const folder = join(room, name);
      const repository = await repositoryAt({ url: folder, env: {}, folder }, room, { name });
      await repository.ensure(recordedStep());
      repositories.set(name, repository);
    }
  });
  after(() => removeFolder(room));

  const deployment = (fixture: Fixture, path = readable) =>
    ({
      catalog: fixture.catalog,
      dataDir: room,
      processes: createProcessFence(room),
      openRepository: (_: unknown, name: string) => Promise.resolve(repositories.get(name)),
      sourceOf: () => ({ capture: () => Promise.resolve(captureOf(path)) }),
      clock: () => new Date(),
    }) as unknown as Deployment;
  const captureOf = (path: string) => ({
    method: 'files',
    parts: [folderPart(path)],
    settle: async () => ({ manifest: null, notes: [] }),
    close: async () => undefined,
  });
  const inActivity = <I, O>(step: (input: I) => Promise<O>, input: I): Promise<O> =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) }).run(() =>
      step(input),
    );

  async function applied({ catalog }: Fixture): Promise<string> {
    await catalog.configurations.apply(aConfiguration());
    return (await catalog.configurations.current())?.digest ?? '';
  }

  /** As a backup takes it, with its copy. */
  async function taken(path: string, tags: string[]): Promise<RecoveryPoint> {
    const { catalog } = lost;
    const configuration = await applied(lost);
    const job = await catalog.jobs.begin(aJob({ tags, startedAt: new Date().toISOString() }));
    const { snapshotAsset, copyPoint } = createBackupSteps(deployment(lost, path));
    const point = derivedId(job.id, 'orders');
    const step = { jobId: job.id, configuration, policy: 'critical', asset: 'orders', point };
    await inActivity(snapshotAsset, { ...step, repository: 'local', manifest: false, tags: job.tags });
    await inActivity(copyPoint, { ...step, from: 'local', to: 'offsite' });
    await catalog.jobs.end(job.id, { status: 'cancelled' });
    return catalog.points.find(point);
  }

  async function adopted(fixture: Fixture, repository: string): Promise<string[]> {
    await applied(fixture);
    const { adoptSnapshots } = createLookSteps(deployment(fixture));
    return inActivity(adoptSnapshots, { asset: 'orders', repository, snapshots: [], actor: 'anna' });
  }

  let whole: RecoveryPoint;
  let partial: RecoveryPoint;
  before(async () => {
    whole = await taken(readable, []);
    partial = await taken(PARTLY_READABLE, ['release', 'v2.1']);
  });

  it('is rebuilt from a copy, with what a partial point lacks and with its tags', async () => {
    assert.match(partial.partial ?? '', /^1 of its files could not be read$/);
    assert.deepEqual((await adopted(rebuilt, 'offsite')).sort(), [whole.id, partial.id].sort());
    for (const before of [whole, partial]) {
      const after = await rebuilt.catalog.points.find(before.id);
      const known = ({ asset, kind, takenAt, partial, tags, bytes, method, copies }: RecoveryPoint) => ({
        ...{ asset, kind, takenAt, partial, tags, bytes, method },
        parts: copies.find(({ repository }) => repository === 'offsite')?.parts,
      });
      assert.deepEqual(known(after), known(before));
    }
    assert.equal(partial.copies[1]?.parts.length, 2);
    const { items } = await rebuilt.catalog.audit.list({ limit: 50 });
    const recorded = items.filter(({ action, actor }) => action === 'point.recorded' && actor === 'anna');
    assert.deepEqual(
      recorded.map(({ details }) => (details as { tags?: string[] }).tags),
      [['release', 'v2.1'], undefined],
    );
  });

  it('is asked for the same a second time, and has it already', async () => {
    assert.deepEqual(await adopted(rebuilt, 'offsite'), []);
  });

  it('learns of the other repository as one more copy of the same points', async () => {
    assert.deepEqual((await adopted(rebuilt, 'local')).sort(), [whole.id, partial.id].sort());
    const { copies } = await rebuilt.catalog.points.find(partial.id);
    assert.deepEqual(copies.map(({ repository }) => repository).sort(), ['local', 'offsite']);
  });

  it('restores of a partial point its data, and keeps the names of what is missing beside it', async () => {
    const [copy] = partial.copies;
    const target = join(room, 'restored');
    const repository = repositories.get('local')!;
    const at = deployment(lost);
    const restored = await restoreParts(at, repository, partial, copy!, target, [], recordedStep());
    assert.deepEqual(Object.keys(restored), ['files']);
    assert.deepEqual(await readdir(target), ['files']);
    const unread = copy?.parts.find(({ name }) => name === 'unread');
    const entries = await repository.list(unread?.snapshotId ?? '', '/', recordedStep());
    assert.deepEqual(
      entries.map(({ path, size }) => [path, size > PARTLY_READABLE.length]),
      [['/unread.txt', true]],
    );
  });

  it('takes nothing that its own jobs left, nor an attempt without its data, nor what is of another asset', async () => {
    const repository = repositories.get('local')!;
    const startedAt = new Date().toISOString();
    const job = await rebuilt.catalog.jobs.begin(aJob({ startedAt }));
    const takenAt = new Date().toISOString();
    const store = (point: string, more: object) =>
      repository.store(folderPart(readable), labels(point, { takenAt, ...more }), recordedStep());
    await store(derivedId(job.id, 'orders'), {});
    await store(randomUUID(), { part: 'unread', partial: '1 of its files could not be read' });
    await store(randomUUID(), { asset: 'uploads' });
    await store(randomUUID(), { kind: 'safety' });
    assert.deepEqual(await adopted(rebuilt, 'local'), []);
    await rebuilt.catalog.jobs.end(job.id, { status: 'cancelled' });
    assert.deepEqual(await adopted(rebuilt, 'local'), []);
  });

  it('takes the last of several attempts at a point', async () => {
    const repository = repositories.get('local')!;
    const id = randomUUID();
    const attempt = async (takenAt: string) =>
      (await repository.store(folderPart(readable), labels(id, { takenAt }), recordedStep())).snapshotId;
    await attempt('2026-03-04T05:06:07.000Z');
    const last = await attempt('2026-03-04T05:16:07.000Z');
    await attempt('2026-03-04T05:11:07.000Z');
    assert.deepEqual(await adopted(rebuilt, 'local'), [id]);
    assert.deepEqual(await adopted(rebuilt, 'local'), []);
    const { copies, takenAt } = await rebuilt.catalog.points.find(id);
    assert.deepEqual(
      [takenAt, copies.map(({ artifactId }) => artifactId)],
      ['2026-03-04T05:16:07.000Z', [last]],
    );
  });
});
