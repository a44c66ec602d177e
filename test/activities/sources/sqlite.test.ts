import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmod,
  copyFile,
  mkdir,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
  open,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CancelledFailure } from '@temporalio/activity';
import type { Repository } from '../../../activities/repositories/repository.ts';
import { createSqliteSource } from '../../../activities/sources/sqlite.ts';
import type { SqliteManifest } from '../../../domain/recovery-point.ts';
import {
  emptyScratch,
  makeBench,
  makeOrder,
  makeRepository,
  restoreAll,
  sqliteAsset,
  store,
} from './source-fixture.ts';
import type { Bench } from './source-fixture.ts';
import { sql, Writer } from './sqlite-writer.ts';

const source = createSqliteSource();
const ODD_TABLES = `
  CREATE TABLE "quote""d 'name'"(a); INSERT INTO "quote""d 'name'" VALUES(1);
  CREATE TABLE "line
.shell touch /tmp/holdfast-must-not-exist
"(a); CREATE TABLE "ünïcode; --"(a INTEGER PRIMARY KEY); INSERT INTO "ünïcode; --" VALUES(1),(2);
  CREATE VIRTUAL TABLE words USING fts5(text); INSERT INTO words VALUES('one'),('two'),('three');
`;

describe('sqlite source', () => {
  let bench: Bench;
  let path: string;
  const writers: Writer[] = [];
  const writer = () => {
    const made = new Writer(path);
    writers.push(made);
    return made;
  };
  beforeEach(async () => {
    bench = await makeBench();
    path = join(bench.folder, `app's "data" %20#?`, '-odd name.db');
    await mkdir(dirname(path));
  });
  afterEach(async () => {
    await Promise.all(writers.splice(0).map((one) => one.kill()));
    await bench.close();
  });

  const capture = () => source.capture(sqliteAsset(path), bench.workspace, bench.step, { manifest: true });
  /** Name and content of everything beside the database, itself included. */
  const snapshotOfFolder = async () => {
    const names = (await readdir(dirname(path))).sort();
    return Promise.all(
      names.map(async (name) => {
        const file = join(dirname(path), name);
        const { mtimeNs, ino } = await stat(file, { bigint: true });
        return `${name} ${ino} ${mtimeNs} ${createHash('sha256')
          .update(await readFile(file))
          .digest('hex')}`;
      }),
    );
  };

  /** A capture that is stopped with these words of Temporal's once its first tool runs. */
  const captureStopped = async (words: string) => {
    sql(path, 'CREATE TABLE t(a); INSERT INTO t VALUES(1)');
    const job = new AbortController();
    const step = {
      ...bench.step,
      signal: job.signal,
      started: ({ tool }: { tool: string }) => {
        if (tool === 'sqlite3') job.abort(new CancelledFailure(words));
      },
    };
    await assert.rejects(
      source.capture(sqliteAsset(path), bench.workspace, step, { manifest: true }),
      CancelledFailure,
    );
    return readdir(bench.workspace.staging);
  };

  it('cancelled in the middle, leaves no copy in staging', async () => {
    assert.deepEqual(await captureStopped('CANCELLED'), []);
  });

  it('cancelled while it is stored, leaves no copy in staging', async () => {
    sql(path, 'CREATE TABLE t(a); INSERT INTO t VALUES(1)');
    const job = new AbortController();
    const step = { ...bench.step, signal: job.signal };
    const taken = await source.capture(sqliteAsset(path), bench.workspace, step, { manifest: true });
    job.abort(new CancelledFailure('CANCELLED'));
    await taken.close();
    assert.deepEqual(await readdir(bench.workspace.staging), []);
  });

  it('given up, touches staging no more: the next attempt works there', async () => {
    assert.deepEqual(await captureStopped('TIMED_OUT'), ['incoming']);
  });

  describe('with restic', () => {
    let repository: Repository;
    beforeEach(async () => (repository = await makeRepository(bench)));

    it('captures under a live writer, proves the copy, and names what was spoilt', async () => {
      const app = writer();
      await app.run(`PRAGMA journal_mode=wal; CREATE TABLE t(a INTEGER PRIMARY KEY, b); ${ODD_TABLES}`);
      await chmod(path, 0o640);
      const writing = app.keepWriting(`INSERT INTO t(b) SELECT randomblob(500) FROM generate_series(1,20)`);
      const taken = await store(await capture(), repository, bench);
      assert.ok((await writing.stop()) > 0);
      const manifest = taken.manifest as SqliteManifest;
      assert.equal(manifest.tables['ünïcode; --'], 2);
      assert.equal(manifest.tables[`quote"d 'name'`], 1);
      assert.equal(manifest.tables['words'], 3);
      assert.equal(await stat('/tmp/holdfast-must-not-exist').catch(() => null), null);
      assert.deepEqual(await readdir(bench.workspace.staging), []);

      const restored = await restoreAll(taken, repository, bench, 'restored');
      const file = join(restored['database'] ?? '', '-odd name.db');
      assert.equal((await stat(file)).mode & 0o777, 0o640);
      const rehearse = () =>
        source.rehearse(sqliteAsset(path), restored, taken.manifest, bench.workspace, bench.step);
      const report = await rehearse();
      assert.deepEqual(
        report.checks.map(({ name, ok }) => [name, ok]),
        [
          ['integrity_check', true],
          ['foreign_key_check', true],
          ['tables', true],
          ['content', true],
        ],
      );

      sql(file, `DELETE FROM "ünïcode; --" WHERE a = 1`);
      const spoilt = await rehearse();
      assert.deepEqual(
        spoilt.checks.filter(({ ok }) => !ok).map(({ name }) => name),
        ['tables', 'content'],
      );
      assert.match(
        spoilt.checks.find(({ name }) => name === 'tables')?.detail ?? '',
        /ünïcode; --: expected 2, found 1/,
      );
      await truncate(file, 5000);
      assert.equal((await rehearse()).ok, false);
    });
  });

  it('leaves no trace beside a database in WAL mode that nobody has open', async () => {
    sql(path, 'PRAGMA journal_mode=wal; CREATE TABLE t(a); INSERT INTO t VALUES(1);');
    const before = await snapshotOfFolder();
    const taken = await capture();
    assert.deepEqual(await snapshotOfFolder(), before);
    assert.equal(((await taken.settle([], null as never)).manifest as SqliteManifest).tables['t'], 1);
    await taken.close();
  });

  it('captures what a crashed writer left in the log, and in a hot rollback journal', async () => {
    let app = writer();
    await app.run(`PRAGMA journal_mode=wal; CREATE TABLE t(a); INSERT INTO t VALUES(1),(2)`);
    await app.kill();
    for (const withIndex of [true, false]) {
      if (!withIndex) await rm(`${path}-shm`);
      const taken = await capture();
      assert.equal(((await taken.settle([], null as never)).manifest as SqliteManifest).tables['t'], 2);
      await taken.close();
    }
    await rm(path);
    await rm(`${path}-wal`);
    await rm(`${path}-shm`, { force: true });
    app = writer();
    await app.run(
      `CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(100000)); PRAGMA cache_size=5; PRAGMA cache_spill=5`,
    );
    await app.run(
      `BEGIN; UPDATE t SET a = randomblob(100000); INSERT INTO t SELECT randomblob(100000) FROM generate_series(1,9)`,
    );
    await app.kill();
    assert.ok((await stat(`${path}-journal`)).size > 0);
    const before = await snapshotOfFolder();
    const taken = await capture();
    assert.equal(((await taken.settle([], null as never)).manifest as SqliteManifest).tables['t'], 1);
    await taken.close();
    assert.deepEqual(await snapshotOfFolder(), before, 'played back in a private copy, not in place');
  });

  it('holds off writers when copying begins anew too often, and waits for a lock', async () => {
    const app = writer();
    await app.run(`CREATE TABLE t(a); INSERT INTO t SELECT randomblob(1000) FROM generate_series(1,20000)`);
    const impatient = createSqliteSource({ restartingSeconds: 0.001 });
    const asset = sqliteAsset(path);
    const taken = await impatient.capture(asset, bench.workspace, bench.step, { manifest: true });
    assert.match(bench.step.said.join(), /its writers wait while it is copied/);
    assert.equal(((await taken.settle([], null as never)).manifest as SqliteManifest).tables['t'], 20000);
    await taken.close();

    await app.run(`BEGIN EXCLUSIVE`);
    const waiting = source.capture(asset, bench.workspace, bench.step, { manifest: true });
    await app.run(`COMMIT`);
    await (await waiting).close();
  });

  it('fails on a corrupt database, naming the damage; a safety point keeps its raw files', async () => {
    sql(
      path,
      'CREATE TABLE t(a); CREATE INDEX i ON t(a); INSERT INTO t SELECT randomblob(300) FROM generate_series(1,500);',
    );
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(3000, 0x5a), 0, 3000, 4096 * 4);
    await file.close();
    await assert.rejects(capture(), { code: 'source.invalid' });
    assert.deepEqual(await readdir(bench.workspace.staging), []);
    await writeFile(`${path}-wal`, 'left over');
    const target = await source.resolveTarget(sqliteAsset(path), null);
    const safety = await source.captureForSafety(sqliteAsset(path), target, bench.workspace, bench.step);
    assert.equal(safety?.method, 'raw-files');
    const staged = safety?.parts[0]?.kind === 'folder' ? safety.parts[0].path : '';
    assert.deepEqual((await readdir(staged)).sort(), ['-odd name.db', '-odd name.db-wal']);
    assert.deepEqual(await readFile(join(staged, '-odd name.db')), await readFile(path));
    await safety?.close();
  });

  it('says foreign keys that were broken before, and does not blame the copy', async () => {
    sql(
      path,
      'CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p); INSERT INTO c VALUES(7);',
    );
    const taken = await capture();
    const { manifest, notes } = await taken.settle([], null as never);
    assert.match(notes.join(), /1 rows break a foreign key/);
    const restored = { database: join(bench.folder, 'restored') };
    await mkdir(restored.database);
    const [part] = taken.parts;
    const staged = part?.kind === 'folder' ? part.path : '';
    await copyFile(join(staged, '-odd name.db'), join(restored.database, '-odd name.db'));
    const report = await source.rehearse(sqliteAsset(path), restored, manifest, bench.workspace, bench.step);
    assert.equal(report.ok, true);
    assert.match(JSON.stringify(report.checks), /1 rows break a foreign key/);
    await taken.close();
  });

  const preflight = () => source.preflight(sqliteAsset(path), bench.step);
  it('says what a file is that is no database', async () => {
    await assert.rejects(preflight(), { code: 'source.missing' });
    await writeFile(path, '');
    await assert.rejects(preflight(), { code: 'source.empty' });
    await writeFile(path, 'just a text\n');
    await assert.rejects(preflight(), { code: 'source.invalid', cause: /begins with the text "just a text/ });
    await writeFile(path, Buffer.from('1f8b0800', 'hex'));
    await assert.rejects(preflight(), { code: 'source.invalid', cause: /gzip/ });
    await writeFile(path, Buffer.alloc(4096, 0xa7));
    await assert.rejects(preflight(), { code: 'source.invalid', cause: /encrypted/ });
    await rm(path);
    await mkdir(path);
    await assert.rejects(preflight(), { code: 'source.invalid', cause: 'it is a folder' });
    await rm(path, { recursive: true });
    await symlink('/dev/null', path);
    await assert.rejects(preflight(), { code: 'source.invalid', cause: /symlink/ });
  });

  describe('impact', () => {
    const order = async () => {
      const folder = join(bench.folder, 'restored/database');
      await mkdir(folder, { recursive: true });
      await rm(join(folder, '-odd name.db'), { force: true });
      sql(
        join(folder, '-odd name.db'),
        'CREATE TABLE t(a); INSERT INTO t VALUES(1),(2),(3); CREATE TABLE fresh(a);',
      );
      const target = await source.resolveTarget(sqliteAsset(path), null);
      return makeOrder(bench, target, { database: folder });
    };
    const impact = async () => {
      await emptyScratch(bench);
      return source.impact(sqliteAsset(path), await order(), bench.workspace, bench.step);
    };

    it('counts both sides and leaves the target byte for byte as it is, however it was left', async () => {
      const expected = [
        { table: 'fresh', before: null, after: 0 },
        { table: 'old', before: 1, after: null },
        { table: 't', before: 2, after: 3 },
      ];
      const fill =
        'CREATE TABLE t(a); INSERT INTO t VALUES(1),(2); CREATE TABLE old(a); INSERT INTO old VALUES(1);';
      sql(path, fill);
      for (const prepare of ['', 'PRAGMA journal_mode=wal;']) {
        if (prepare) sql(path, prepare);
        const before = await snapshotOfFolder();
        assert.deepEqual((await impact()).tables, expected);
        assert.deepEqual(await snapshotOfFolder(), before);
      }
      const app = writer();
      await app.run('INSERT INTO old VALUES(2); DELETE FROM old WHERE a = 2');
      const held = await impact();
      assert.deepEqual(held.tables, expected);
      assert.match(held.warnings.join(), /open in sqlite3 \(pid \d+\), which must be stopped/);
      await app.kill();
      for (const withIndex of [true, false]) {
        if (!withIndex) await rm(`${path}-shm`);
        const before = await snapshotOfFolder();
        assert.equal(before.length, withIndex ? 3 : 2);
        assert.deepEqual((await impact()).tables, expected);
        assert.deepEqual(await snapshotOfFolder(), before);
      }
    });

    it('says what it cannot count, and refuses to restore a part', async () => {
      await writeFile(path, 'no database');
      const unknown = await impact();
      assert.deepEqual(
        unknown.tables?.find(({ table }) => table === 't'),
        { table: 't', before: null, after: 3 },
      );
      assert.match(unknown.warnings.join(), /could not be counted: it is not an SQLite database/);
      const partial = { ...(await order()), include: ['t'] };
      await assert.rejects(source.impact(sqliteAsset(path), partial, bench.workspace, bench.step), {
        code: 'usage',
      });
    });
  });
});
