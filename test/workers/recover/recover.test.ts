import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { derivedId } from '../../../activities/derived-id.ts';
import { openCatalog } from '../../../catalog/index.ts';
import { CONTROL_PLANE_ASSET } from '../../../domain/control-plane/bundle.ts';
import { HoldfastError, type FailureCode } from '../../../domain/errors.ts';
import { reconcile } from '../../../workers/recover/reconcile.ts';
import { recover } from '../../../workers/recover/recover.ts';
import type { Report } from '../../../workers/recover/report.ts';
import type { RecoverRequest } from '../../../workers/recover/request.ts';
import { postgresServerBinaries } from '../../../activities/hosts/postgres-binaries.ts';
import { recordedStep } from '../../activities/repositories/repository-fixtures.ts';
import { newDatabase, runSql, withCatalog } from '../../catalog/fixture.ts';
import { lostService, type LostService } from './stored-control-plane.ts';

describe('recover', function () {
  this.timeout(180_000);
  const fixture = withCatalog();
  let service: LostService;
  let gone: string;
  let stored: Awaited<ReturnType<LostService['storeItself']>>;
  before(async () => {
    service = await lostService(fixture);
    await service.point('uploads', { known: true });
    gone = await service.point('uploads', { known: true });
    const jobId = randomUUID();
    const startedAt = new Date().toISOString();
    await fixture.catalog.jobs.begin({
      ...{ id: jobId, workflowId: 'control-plane/offsite', type: 'controlPlane', policy: null, startedAt },
      ...{ trigger: 'schedule', repository: 'offsite', assets: [CONTROL_PLANE_ASSET] },
    });
    stored = await service.storeItself({ id: derivedId(jobId, CONTROL_PLANE_ASSET) });
    await fixture.catalog.jobs.end(jobId, { status: 'cancelled' });
    await service.point('uploads', { known: false });
    await service.point('left', { known: false });
    const lost = await service.repository.snapshots({ point: gone }, recordedStep());
    await service.repository.forget(
      lost.map(({ id }) => id),
      recordedStep(),
    );
  });
  after(() => service?.remove());
  afterEach(() => rm(join(service.room, 'anew'), { recursive: true, force: true }));

  const at = (...names: string[]) => join(service.room, 'anew', ...names);
  const recovered = async (request: RecoverRequest): Promise<Report> => {
    const recovery = await recover(request, recordedStep(), new Date());
    assert.equal(recovery.kind, 'recovered');
    return recovery.kind === 'recovered' ? recovery.report : assert.fail();
  };
  const refused = async (
    request: RecoverRequest,
    code: FailureCode,
    cause: RegExp,
    step = recordedStep(),
  ) => {
    await assert.rejects(recover(request, step, new Date()), (error) => {
      assert.ok(error instanceof HoldfastError, String(error));
      assert.equal(error.code, code, `${error.message}: ${error.cause}`);
      assert.match(`${error.message}\n${error.cause}`, cause);
      return true;
    });
  };
  const nothingIsThere = async () => assert.deepEqual(await readdir(at()).catch(() => []), []);

  it('says what it would do, and does nothing', async () => {
    const recovery = await recover(service.request({ dryRun: true }), recordedStep(), new Date());
    assert.equal(recovery.kind, 'planned');
    const { from, assets, dataDir, warnings } = recovery.kind === 'planned' ? recovery.plan : assert.fail();
    assert.match(warnings.join(), /the service on lost-host does not run any more/);
    assert.deepEqual([from.id, from.host, assets], [stored.id, 'lost-host', ['uploads']]);
    assert.equal(dataDir, at('data'));
    await nothingIsThere();
  });

  it('brings back the configuration as it was written, the keys, and a catalogue that goes on', async () => {
    const report = await recovered(service.request());
    assert.equal(await readFile(at('holdfast.yaml'), 'utf8'), service.source);
    assert.equal((await stat(at('holdfast.yaml'))).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(at('data'))).sort(), ['catalog', 'evidence', 'histories', 'keys', 'run']);
    assert.equal((await stat(at('data', 'keys', 'audit-ed25519.key'))).mode & 0o777, 0o600);
    assert.equal(await readFile(at('data', 'histories', 'one.json.gz'), 'utf8'), 'a history');
    assert.equal(report.audit.events > (stored.manifest.audit?.sequence ?? 0), true);
    assert.deepEqual(report.running, [], 'what stored the dump has succeeded');
    assert.deepEqual([report.evidence, report.histories], [1, 1]);
    assert.deepEqual(report.points, [{ repository: 'offsite', points: 4 }]);
    assert.deepEqual(report.recorded, [
      { asset: 'uploads', points: 1 },
      { asset: 'left', points: 1 },
    ]);
    assert.deepEqual(
      report.missing.map(({ point }) => point),
      [gone],
    );
    const lines = service.source.split('\n');
    assert.deepEqual(
      report.unresolved.map(({ reference, line }) => [reference, lines[(line ?? 0) - 1]?.includes('.key')]),
      [
        [`file:${at('near.key')}`, true],
        [`file:${at('offsite.key')}`, true],
      ],
    );
    assert.match(report.toChange.join(), /holdfast\.yaml:9: write password: file:.*password$/);
    assert.deepEqual(
      report.repositories.map(({ repository, error }) => [repository, error?.code]),
      [
        ['near', 'secret.unresolved'],
        ['offsite', 'secret.unresolved'],
      ],
    );
    await refused(service.request(), 'target.notEmpty', /catalog, evidence, histories, keys, run/);
  });

  it('has the same tables, triggers and rights as the catalogue that was lost, and the gap on the chain', async () => {
    const url = await newDatabase();
    await writeFile(join(service.room, 'catalog.url'), url, { mode: 0o600 });
    const elsewhere = await lostService(
      fixture,
      `catalog: { url: "file:${join(service.room, 'catalog.url')}" }`,
    );
    try {
      const { manifest } = await elsewhere.storeItself();
      const stopped = recover(elsewhere.request(), stoppedAt('looking which secrets'), new Date());
      await assert.rejects(stopped, /cancelled by the test/);
      const left = await runSql(url, `select from pg_namespace where nspname = 'holdfast'`);
      assert.equal(left.length, 0, 'stopped, it leaves nothing in the database');
      await recovered(elsewhere.request());
      assert.equal(await schemaOf(url), await schemaOf(fixture.ownerUrl));
      const rows = await runSql<{ sequence: string; action: string; actor: string }>(
        url,
        'select sequence, action, actor from audit_events order by sequence',
      );
      assert.deepEqual(
        rows
          .slice(manifest.audit?.sequence)
          .slice(0, 2)
          .map(({ action, actor }) => [action, actor]),
        [
          ['controlPlane.recovered', 'recover'],
          ['repository.initialised', 'recover'],
        ],
      );
      const used = await runSql<{ reference: string }>(
        url,
        `select details ->> 'reference' as reference from audit_events where action = 'secret.used'`,
      );
      assert.ok(used.some(({ reference }) => reference === `file:${join(elsewhere.room, 'password')}`));
      await assert.rejects(runSql(url, `update audit_events set actor = 'nobody'`), /only ever added to/);

      // Broken off before the configuration was written, it is taken up; with anything of others in it, refused.
      await rm(dirname(elsewhere.request().configurationFile), { recursive: true });
      await recovered(elsewhere.request());
      await rm(dirname(elsewhere.request().configurationFile), { recursive: true });
      const inUse = await openCatalog({ url, actor: 'anna' });
      await inUse.audit.append({ action: 'policy.paused', subject: 'policy/daily', details: {} });
      await inUse.close();
      await refused(elsewhere.request(), 'target.notEmpty', /has a catalogue in it/);

      const path = join(elsewhere.room, 'another.url');
      await writeFile(path, await newDatabase(), { mode: 0o600 });
      await recovered(elsewhere.request({ catalogUrl: { kind: 'file', path } }));
      const text = await readFile(elsewhere.request().configurationFile, 'utf8');
      assert.match(text, new RegExp(`^catalog: { url: "file:${path}" }`, 'm'));
    } finally {
      await elsewhere.remove();
    }
  });

  it('tells a wrong key from a repository that is not there', async () => {
    await writeFile(join(service.room, 'wrong'), 'not the key', { mode: 0o600 });
    const { repository } = service.request();
    const wrong = { ...repository, password: { kind: 'file', path: join(service.room, 'wrong') } as const };
    await refused(service.request({ repository: wrong }), 'repository.wrongPassword', /does not open/);
    const nowhere = { ...repository, url: join(service.room, 'nowhere') };
    await refused(service.request({ repository: nowhere }), 'repository.absent', /there is no repository at/);
    await nothingIsThere();
  });

  it('touches nothing where something is', async () => {
    await mkdir(at('data'), { recursive: true });
    await writeFile(at('data', 'precious'), 'mine');
    await refused(service.request(), 'target.notEmpty', /it has precious/);
    await rm(at('data'), { recursive: true });
    await writeFile(at('holdfast.yaml'), 'version: 1');
    await refused(service.request(), 'target.notEmpty', /is not the configuration that was backed up/);
    assert.equal(await readFile(at('holdfast.yaml'), 'utf8'), 'version: 1');
    assert.ok(!existsSync(at('data')));
  });

  it('puts the data elsewhere when told, and says so in the configuration', async () => {
    const { dataDir } = await recovered(service.request({ dataDir: at('elsewhere') }));
    assert.equal(dataDir, at('elsewhere'));
    const text = await readFile(at('holdfast.yaml'), 'utf8');
    assert.equal(text, service.source.replace('dataDir: ./data', `dataDir: "${at('elsewhere')}"`));
  });

  it('leaves nothing behind when it is stopped', async () => {
    await refused(service.request(), 'cancelled', /./, stoppedAt('restoring the catalogue'));
    await nothingIsThere();
  });

  it('begins anew after it was killed, and no service starts in between', async () => {
    const holdfast = join(import.meta.dirname, '..', '..', '..', 'cli', 'holdfast.mjs');
    const { repository, configurationFile } = service.request();
    const password = `file:${join(service.room, 'password')}`;
    const words = ['--config', configurationFile, 'recover', '--repository', repository.url];
    const killed = execa(process.execPath, [holdfast, ...words, '--password', password], { reject: false });
    for await (const line of killed.iterable({ from: 'stderr' })) {
      if (line.startsWith('restoring the catalogue')) killed.kill('SIGKILL');
    }
    assert.equal((await killed).signal, 'SIGKILL');
    assert.ok(existsSync(at('data', 'keys')));
    await writeFile(configurationFile, service.source);
    const up = await execa(process.execPath, [holdfast, '--config', configurationFile, 'up'], {
      reject: false,
    });
    assert.match(up.stderr, /its recovery did not come to its end/);
    await recovered(service.request());
    assert.ok(!existsSync(at('data', 'recovering')));
  });

  describe('of a point of the control plane that cannot be believed', () => {
    const onTop = async (options: Parameters<LostService['storeItself']>[0]) => {
      const { id } = await service.storeItself(options);
      return service.request({ point: id });
    };

    it('finds a file that was edited, added or taken away', async () => {
      const edited = await onTop({
        spoil: (folder) => appendFile(join(folder, 'keys/audit-ed25519.key'), ' '),
      });
      await refused(edited, 'proof.failed', /keys\/audit-ed25519\.key was changed/);
      const added = await onTop({ spoil: (folder) => writeFile(join(folder, 'evidence', 'more'), '') });
      await refused(added, 'proof.failed', /evidence\/more is not in the manifest/);
      const less = await onTop({ spoil: (folder) => rm(join(folder, 'histories'), { recursive: true }) });
      await refused(less, 'proof.failed', /histories\/one\.json\.gz is missing/);
      await nothingIsThere();
    });

    it('finds a catalogue whose audit chain is not the one the manifest names', async () => {
      const { sequence = 0, hash = '' } = stored.manifest.audit ?? {};
      const written = await onTop({ manifest: { audit: { sequence, hash: hash.replace(/^./, 'g') } } });
      await refused(written, 'proof.failed', /not as this program writes it/);
      const anew = await onTop({ manifest: { audit: { sequence, hash: 'ab'.repeat(32) } } });
      await refused(anew, 'proof.failed', /the chain was written anew/);
      await nothingIsThere();
    });

    it('is refused when a newer program made it', async () => {
      await refused(await onTop({ manifest: { migration: '9999_later' } }), 'catalog.newer', /9999_later/);
    });

    it('goes by the time or the id that was given', async () => {
      const request = service.request({ at: stored.manifest.takenAt, dryRun: true });
      const recovery = await recover(request, recordedStep(), new Date());
      assert.equal(recovery.kind === 'planned' && recovery.plan.from.id, stored.id);
      await refused(
        service.request({ at: '2020-01-01T00:00:00.000Z' }),
        'point.unknown',
        /at or before 2020/,
      );
      await refused(service.request({ point: 'zzzz' }), 'point.unknown', /zzzz/);
    });
  });

  it('leaves the state of another service alone that is in the same repository', async () => {
    const step = recordedStep();
    const listed = await service.repository.snapshots({}, step);
    const own = async (hostname: string) => {
      await reconcile(fixture.catalog, 'offsite', null, listed, hostname, new Date(), step);
      return (await fixture.catalog.points.list({ kind: 'system' })).items.length;
    };
    assert.equal(await own('another-host'), 0);
    assert.notEqual(await own(listed[0]?.hostname ?? ''), 0);
  });
});

/** Ctrl-C, as soon as that is said. */
function stoppedAt(message: string) {
  const step = recordedStep();
  const { say } = step;
  step.say = (level, said) => {
    say(level, said);
    if (said.startsWith(message)) step.abort();
  };
  return step;
}

async function schemaOf(url: string): Promise<string> {
  const { folder } = await postgresServerBinaries();
  const { hostname, port, username, password, pathname } = new URL(url);
  const env = { PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: decodeURIComponent(password) };
  const words = ['--schema-only', '--no-privileges', '--schema=holdfast', pathname.slice(1)];
  const { stdout } = await execa(join(folder, 'pg_dump'), words, { env });
  return stdout.replaceAll(/^\\(un)?restrict .*$/gm, '');
}
