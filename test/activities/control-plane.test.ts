import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { execa } from 'execa';
import type { StoreControlPlane } from '../../activities/contract.ts';
import { beginControlPlane } from '../../activities/control-plane/begin.ts';
import { createControlPlaneSteps } from '../../activities/control-plane/store.ts';
import { findPostgresBinaries } from '../../activities/hosts/postgres-binaries.ts';
import type { Repository } from '../../activities/repositories/repository.ts';
import { copyOf } from '../../activities/store-parts.ts';
import { createRetentionSteps } from '../../activities/retention-steps.ts';
import { controlPlaneServices } from '../../api/wiring/control-plane.ts';
import { conditionsOf } from '../../domain/incidents/conditions.ts';
import { controlPlaneManifest } from '../../domain/control-plane/bundle.ts';
import { incidentFacts } from '../../workers/incident-facts.ts';
import { APPLICATION_PASSWORD, withCatalog } from '../catalog/fixture.ts';
import { restic, snapshotsIn } from '../fixtures/restic.ts';
import { makeGuardedJob, type GuardedJob } from './guards/guarded-job.ts';
import { folderPart, labels, recordedStep } from './repositories/repository-fixtures.ts';
import { carryOut, type Steps } from './retention-fixture.ts';

describe('the control plane stores itself', function () {
  this.timeout(180_000);
  const fixture = withCatalog();
  const canary = `canary-${randomUUID()}`;
  let time = Date.now();
  let job: GuardedJob;
  let store: (jobId: string, attempt?: number) => Promise<string | null>;

  beforeEach(async () => {
    await fixture.sql('truncate repository_rollbacks, recovery_points, jobs cascade');
    time = Date.now();
    job = await makeGuardedJob(fixture, () => new Date(time), {});
    await writeFile(job.at('key'), `${canary}\n`, { mode: 0o600 });
    await writeFile(job.at('asset', 'file'), randomUUID());
    for (const [folder, file] of [
      ['keys', 'audit-ed25519.key'],
      ['keys', 'repository.key'],
      ['histories', 'one.json.gz'],
      ['histories', 'half.json.gz.4711'],
      ['evidence', 'drill.json'],
    ] as const) {
      await mkdir(job.at('data', folder), { recursive: true });
      await writeFile(job.at('data', folder, file), file === 'repository.key' ? canary : `${folder}/${file}`);
    }
    store = async (jobId, attempt = 1) => {
      time += 1000;
      const configuration = (await fixture.catalog.configurations.current())?.digest ?? '';
      const key = randomUUID();
      const lease = { repository: 'local', key, holder: jobId, mode: 'shared' as const, after: 0 };
      const fences = [{ repository: 'local', fence: await fixture.catalog.leases.grant(lease) }];
      const plan = await beginControlPlane(job.deployment, {
        ...{ jobId, workflowId: `control-plane/${jobId}`, repository: 'local' },
        ...{ trigger: 'schedule', actor: 'schedule' },
      });
      assert.equal(plan.refused, null);
      const input = { jobId, configuration, repository: 'local', point: plan.point, fences };
      const { point } = await inActivity<StoreControlPlane, { point: string | null }>(
        createControlPlaneSteps(job.deployment).storeControlPlane,
        input,
        attempt,
      );
      await fixture.catalog.jobs.setAsset(jobId, 'holdfast', { status: point ? 'success' : 'skipped' });
      await fixture.catalog.jobs.end(jobId, { status: 'success', endedAt: new Date(time).toISOString() });
      return point;
    };
  });
  afterEach(() => job.close());

  const open = async () => {
    const applied = await fixture.catalog.configurations.current();
    return job.deployment.openRepository(applied!.configuration, 'local');
  };
  const staged = () => job.at('data', 'staging', 'holdfast', 'local');

  it('as a point of its own that holds everything it names, and no secret', async () => {
    const source = 'version: 1\n# as it was written\n';
    const applied = await fixture.catalog.configurations.current();
    await fixture.catalog.configurations.apply(applied!.configuration, {
      source,
      path: '/etc/holdfast.yaml',
    });
    await job.store();
    const modes: number[] = [];
    watchStores(job, async () => void modes.push((await stat(staged())).mode & 0o777));
    const id = (await store(randomUUID())) ?? '';
    assert.deepEqual(modes, [0o700]);
    assert.equal(existsSync(staged()), false, 'nothing of it is left in staging');

    const point = await fixture.catalog.points.find(id);
    assert.equal(point.kind, 'system');
    assert.equal(point.orphaned, false);
    const { items } = await fixture.catalog.points.list({ kind: 'system' });
    assert.deepEqual(
      items.map((one) => one.id),
      [id],
    );
    const regular = await fixture.catalog.points.list();
    assert.ok(!regular.items.some((one) => one.id === id), 'not among what people restore');

    const folder = job.at('restored');
    const { snapshotId, path } = point.copies[0]!.parts[0]!;
    const request = { snapshotId, path, target: folder, include: [], expectedBytes: null };
    await (await open()).restore(request, recordedStep());
    const manifest = controlPlaneManifest.parse(
      JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')),
    );
    assert.equal(manifest.pointId, id);
    const migrations = (await readdir(new URL('../../catalog/migrations', import.meta.url))).sort();
    assert.equal(`${manifest.migration}.sql`, migrations.at(-1));
    assert.equal(manifest.configurationDigest, applied?.digest);
    assert.deepEqual(
      manifest.files.map((file) => file.path),
      [
        'catalog.dump',
        'configuration/applied.json',
        'configuration/holdfast.yaml',
        'evidence/drill.json',
        'histories/one.json.gz',
        'keys/audit-ed25519.key',
      ],
    );
    for (const file of manifest.files) {
      const content = await readFile(join(folder, file.path));
      assert.equal(createHash('sha256').update(content).digest('hex'), file.sha256, file.path);
      for (const secret of [canary, APPLICATION_PASSWORD])
        assert.ok(!content.includes(secret), `${file.path} holds a password`);
    }
    assert.equal(await readFile(join(folder, 'configuration/holdfast.yaml'), 'utf8'), source);

    const [binaries] = await findPostgresBinaries();
    const dump = join(folder, 'catalog.dump');
    const { stdout } = await execa(join(binaries!.folder, 'pg_restore'), ['--file=-', dump]);
    const events = /COPY holdfast\.audit_events .*?\n([^]*?)\n\\\./.exec(stdout)?.[1]?.split('\n') ?? [];
    assert.equal(
      events.at(-1)?.split('\t')[0],
      String(manifest.audit?.sequence),
      "the head is the dump's own",
    );
    assert.ok(stdout.includes(manifest.audit?.hash ?? '-'));
  });

  it('once, though a worker was killed in the middle of it, and without what that left behind', async () => {
    await job.store();
    const jobId = randomUUID();
    let killed = true;
    watchStores(job, async () => {
      if (killed) throw new Error('killed');
    });
    await assert.rejects(store(jobId));
    await mkdir(join(staged(), 'histories'), { recursive: true });
    await writeFile(join(staged(), 'histories', 'of-a-dead-attempt'), 'left');
    killed = false;
    const id = await store(jobId, 2);
    const snapshots = await snapshotsIn(job.at('local'), job.at('key'), 'holdfast');
    assert.equal(snapshots.length, 1);
    assert.ok(id && snapshots[0]?.tags.includes(`holdfast:point=${id}`));
    const listed = await restic(job.at('local'), job.at('key'), 'ls', '--no-lock', snapshots[0]!.id);
    assert.doesNotMatch(listed.stdout, /of-a-dead-attempt/);
  });

  it('not where nothing was ever stored: it says so, and is no failure', async () => {
    const jobId = randomUUID();
    assert.equal(await store(jobId), null);
    const { items } = await fixture.catalog.jobEvents.list(jobId);
    assert.match(items.map(({ message }) => message).join(), /comes after the first backup/);
    assert.deepEqual(await readdir(job.at('local')), []);
  });

  it('not from a host that has no key of an audit chain that has one', async () => {
    await job.store();
    await rm(job.at('data', 'keys', 'audit-ed25519.key'));
    const event = { action: 'audit.keyCreated', subject: 'key/0123456789abcdef' };
    await fixture.catalog.audit.append({ ...event, details: { publicKey: 'of another host' } });
    await assert.rejects(store(randomUUID()), { type: 'source.partial' });
    assert.deepEqual((await fixture.catalog.points.list({ kind: 'system' })).items, []);
  });

  it('and what that puts on the audit chain does not call for it again; what others do there does', async () => {
    await job.store();
    await store(randomUUID());
    const state = async () => (await fixture.catalog.controlPlane.states(['local']))[0]!;
    assert.equal((await state()).movedOnAt, null);
    await fixture.catalog.audit.append({ action: 'something.else', subject: 'somebody', details: {} });
    assert.notEqual((await state()).movedOnAt, null);
  });

  it("and few enough of its points stay, in any policy's retention, with the reasons", async () => {
    const hour = (Math.floor(time / 3_600_000) - 1) * 3_600_000;
    time = hour;
    await job.store();
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      time = hour + index * 60_000;
      ids.push(await taken());
    }
    await fixture.catalog.clock.note(new Date(time));
    await retain();
    const left = (await fixture.catalog.points.list({ kind: 'system' })).items.map(({ id }) => id);
    assert.deepEqual(left, [ids[4], ids[3], ids[2], ids[0]]);
    assert.equal((await snapshotsIn(job.at('local'), job.at('key'), 'holdfast')).length, 4);
  });

  it('and finds a repository that was put back to an older state, which is left alone until that is accepted', async () => {
    await job.store();
    await store(randomUUID());
    await cp(job.at('local'), job.at('aside'), { recursive: true, preserveTimestamps: true });
    time += 1000;
    await job.next();
    await job.store();
    const lostData = (await fixture.catalog.points.list()).items[0]!;
    const lostOwn = (await store(randomUUID())) ?? '';
    await rename(job.at('local'), job.at('newer'));
    await rename(job.at('aside'), job.at('local'));
    await rm(job.at('data', 'cache'), { recursive: true, force: true });

    assert.ok(await store(randomUUID()), 'it is stored there all the same');
    const [found] = await fixture.catalog.controlPlane.rollbacks();
    assert.equal(found?.repository, 'local');
    assert.deepEqual(new Set(found.missing), new Set([lostOwn, lostData.id]));
    const { items } = await fixture.catalog.audit.list({ action: 'repository.rolledBack' });
    assert.equal(items.length, 1);
    const applied = await fixture.catalog.configurations.current();
    const facts = await incidentFacts(fixture.catalog, applied!.configuration, new Date(time));
    const condition = conditionsOf(facts, new Date(time)).find(
      ({ key }) => key === 'repository/local/rolledBack',
    );
    assert.equal(condition?.severity, 'page');
    assert.ok(condition.reason.includes(lostData.id) && condition.reason.includes(lostOwn));

    await assert.rejects(retain(true), { type: 'repository.disagrees' });
    const services = controlPlaneServices({ catalog: fixture.catalog, clock: () => new Date(time) } as never);
    await services.acceptRollback({ name: 'anna', role: 'approver' }, 'local', 'restored from tape');
    assert.deepEqual(await fixture.catalog.controlPlane.rollbacks(), []);
    assert.equal((await fixture.catalog.points.find(lostData.id)).proof, 'damaged');
    await retain();
    await store(randomUUID());
    assert.deepEqual(await fixture.catalog.controlPlane.rollbacks(), [], 'it is told once');
  });

  it('and finds that the newest point of all is gone, and that it came back', async () => {
    await job.store();
    await store(randomUUID());
    time += 1000;
    await job.next();
    await job.store();
    const [newest] = (await fixture.catalog.points.list()).items;
    const snapshot = job.at('local', 'snapshots', newest!.copies[0]!.artifactId);
    await rename(snapshot, job.at('aside'));
    await store(randomUUID());
    const [found] = await fixture.catalog.controlPlane.rollbacks();
    assert.deepEqual(found?.missing, [newest!.id]);
    await rename(job.at('aside'), snapshot);
    await store(randomUUID());
    assert.deepEqual(await fixture.catalog.controlPlane.rollbacks(), []);
    assert.equal((await fixture.catalog.points.find(newest!.id)).proof, 'stored');
  });

  it('and takes nothing for accepted because what is missing was found damaged meanwhile, as a recovery does', async () => {
    await job.store();
    await store(randomUUID());
    time += 1000;
    await job.next();
    await job.store();
    const newest = (await fixture.catalog.points.list()).items[0]!;
    await rm(job.at('local', 'snapshots', newest.copies[0]!.artifactId));
    await store(randomUUID());
    await fixture.catalog.points.markCopy(newest.id, 'local', { damagedAt: new Date(time).toISOString() });
    await store(randomUUID());
    const [found] = await fixture.catalog.controlPlane.rollbacks();
    assert.deepEqual(found?.missing, [newest.id], 'only a person accepts it');
  });

  /** A small one. */
  async function taken(): Promise<string> {
    const id = randomUUID();
    const takenAt = new Date(time).toISOString();
    const part = { ...folderPart(job.at('asset')), name: 'control-plane' };
    const own = { asset: 'holdfast', kind: 'system', part: part.name, takenAt } as const;
    const stored = await (await open()).store(part, labels(id, own), recordedStep());
    await fixture.catalog.points.record(
      {
        ...{ id, asset: 'holdfast', assetType: 'directory', policy: null, jobId: null, kind: 'system' },
        ...{ takenAt, method: 'files', bytes: 1, addedBytes: 1, manifest: null },
        copies: [copyOf('local', [stored], new Date(time))],
      },
      null,
    );
    return id;
  }

  async function retain(confirm = false): Promise<void> {
    const jobId = randomUUID();
    const configuration = (await fixture.catalog.configurations.current())?.digest ?? '';
    await fixture.catalog.jobs.begin({
      ...{ id: jobId, workflowId: `retention/${jobId}`, type: 'retention', policy: 'daily' },
      ...{ trigger: 'manual', startedAt: new Date(time).toISOString(), assets: ['uploads'] },
    });
    const lease = { key: randomUUID(), holder: jobId, mode: 'exclusive' as const, after: 0 };
    const fence = await fixture.catalog.leases.grant({ ...lease, repository: 'local' });
    const steps = createRetentionSteps(job.deployment);
    const inActivities = Object.fromEntries(
      Object.entries(steps).map(([name, step]) => [
        name,
        (input: unknown) => inActivity(step as never, input),
      ]),
    ) as unknown as Steps;
    const input = { jobId, configuration, policy: 'daily', repository: 'local', fence };
    await carryOut(inActivities, input, confirm);
  }
});

function inActivity<I, O>(step: (input: I) => Promise<O>, input: I, attempt = 1): Promise<O> {
  const logger = new DefaultLogger('ERROR', () => undefined);
  return new MockActivityEnvironment({ attempt }, { logger }).run(() => step(input));
}

/** What is done directly before each `store`, which then goes on. */
function watchStores(job: GuardedJob, before: () => Promise<void>): void {
  const { openRepository } = job.deployment;
  job.deployment.openRepository = async (...what) => {
    const opened = await openRepository(...what);
    const watched: Pick<Repository, 'store'> = {
      store: async (...part) => {
        await before();
        return opened.store(...part);
      },
    };
    return Object.create(opened, Object.getOwnPropertyDescriptors(watched)) as Repository;
  };
}
