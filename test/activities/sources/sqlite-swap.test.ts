import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSqliteSource } from '../../../activities/sources/sqlite.ts';
import type { RestoreOrder } from '../../../activities/sources/source.ts';
import { makeBench, makeOrder, sqliteAsset, type Bench } from './source-fixture.ts';
import { sql, Writer } from './sqlite-writer.ts';

class Crash extends Error {}

describe('sqlite swap', () => {
  const source = createSqliteSource();
  let bench: Bench;
  let folder: string;
  let path: string;
  let restored: string;
  let order: RestoreOrder;
  const writers: Writer[] = [];

  beforeEach(async () => {
    bench = await makeBench();
    folder = join(bench.folder, 'srv');
    path = join(folder, 'app.db');
    restored = join(bench.folder, 'restored/database');
    for (const one of [folder, restored]) await mkdir(one, { recursive: true });
    sql(join(restored, 'app.db'), 'PRAGMA journal_mode=wal; CREATE TABLE t(a); INSERT INTO t VALUES(1);');
    const target = await source.resolveTarget(sqliteAsset(path), null);
    order = makeOrder(bench, target, { database: restored });
  });
  afterEach(async () => {
    await Promise.all(writers.splice(0).map((writer) => writer.kill()));
    await bench.close();
  });

  /** A database whose last 500 rows are only in the log a crashed application left. */
  const leaveLog = async () => {
    const app = new Writer(path);
    writers.push(app);
    await app.run('PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a)');
    await app.run('INSERT INTO t SELECT value FROM generate_series(1,501)');
    await app.kill();
  };
  const contents = async () => {
    const files: Record<string, string> = {};
    for (const name of (await readdir(folder)).sort()) {
      const { ino, mtimeNs, mode } = await stat(join(folder, name), { bigint: true });
      files[name] = `${ino} ${mtimeNs} ${mode} ${(await readFile(join(folder, name))).toString('base64')}`;
    }
    return files;
  };
  const rows = () => sql(path, 'SELECT count(*) FROM t;').trim();

  it('puts the restored file in place without the old log; a crash at any step can be undone or gone on from', async () => {
    await leaveLog();
    const before = await contents();
    assert.deepEqual(Object.keys(before), ['app.db', 'app.db-shm', 'app.db-wal']);
    for (let crashAt = 1; ; crashAt += 1) {
      let steps = 0;
      const crashing = createSqliteSource({
        afterStep: (name) => {
          steps += 1;
          if (steps === crashAt) throw new Crash(name);
        },
      });
      const crashed = await crashing.swap(sqliteAsset(path), order, bench.step).then(
        () => false,
        (thrown: unknown) => {
          if (thrown instanceof Crash) return true;
          throw thrown;
        },
      );
      if (!crashed) break;
      // Never a database beside another one's log, at no step.
      const there = await readdir(folder);
      if (
        there.includes('app.db') &&
        !('app.db' in before && (await contents())['app.db'] === before['app.db'])
      ) {
        assert.ok(!there.includes('app.db-wal'), `mixed at step ${crashAt}`);
      }
      if (crashAt % 2 === 0) await source.swap(sqliteAsset(path), order, bench.step);
      await source.undo(sqliteAsset(path), order, bench.step);
      assert.deepEqual(await contents(), before, `step ${crashAt}`);
      assert.deepEqual(await readdir(restored), ['app.db']);
    }
    assert.equal(rows(), '1');
    await source.settle(sqliteAsset(path), order, bench.step);
    assert.deepEqual(await readdir(folder), ['app.db']);
    assert.equal(rows(), '1');
  });

  it('rolls back over the log that the application made of the restored database', async () => {
    await leaveLog();
    const before = await contents();
    await source.swap(sqliteAsset(path), order, bench.step);
    const app = new Writer(path);
    writers.push(app);
    await app.run('INSERT INTO t VALUES(2)');
    await app.kill();
    assert.ok((await readdir(folder)).includes('app.db-wal'));
    await source.undo(sqliteAsset(path), order, bench.step);
    assert.deepEqual(await contents(), before);
    assert.equal(rows(), '501');
  });

  it('keeps the log an application made of the old database before anything was moved', async () => {
    sql(path, 'PRAGMA journal_mode=wal; CREATE TABLE t(a);');
    const crashing = createSqliteSource({
      afterStep: (name) => {
        if (name === 'journal moving') throw new Crash();
      },
    });
    await assert.rejects(crashing.swap(sqliteAsset(path), order, bench.step), Crash);
    const app = new Writer(path);
    writers.push(app);
    await app.run('PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES(1),(2),(3)');
    await app.kill();
    await source.undo(sqliteAsset(path), order, bench.step);
    assert.equal(rows(), '3');
  });

  it('refuses while a program has the database open, and names it', async () => {
    sql(path, 'CREATE TABLE t(a);');
    const app = new Writer(path);
    writers.push(app);
    await app.run('SELECT * FROM t');
    const inUse = { code: 'target.inUse', cause: `open in sqlite3 (pid ${app.pid})` };
    await assert.rejects(source.swap(sqliteAsset(path), order, bench.step), inUse);
    await assert.rejects(source.checkTarget(sqliteAsset(path), order.target, 1, bench.step), inUse);
    const restore = { stop: [['true']] as [string][], start: [], health: [] };
    await source.checkTarget(sqliteAsset(path, { restore }), order.target, 1, bench.step);
    await app.kill();
    await source.swap(sqliteAsset(path), order, bench.step);
    assert.equal(rows(), '1');
  });

  it('restores beside: only to a path with nothing at it, not even a stale log', async () => {
    const resolve = (to: string) => source.resolveTarget(sqliteAsset(path), to);
    const beside = await resolve(join(bench.folder, 'new/place/copy.db'));
    assert.equal(beside.inPlace, false);
    await source.checkTarget(sqliteAsset(path), beside, 1, bench.step);
    await source.swap(sqliteAsset(path), { ...order, target: beside }, bench.step);
    assert.equal(sql(beside.location, 'SELECT count(*) FROM t;').trim(), '1');
    const taken = { code: 'target.notEmpty' };
    await assert.rejects(source.checkTarget(sqliteAsset(path), beside, 1, bench.step), taken);
    await writeFile(join(folder, 'x.db-wal'), '');
    await assert.rejects(
      source.checkTarget(sqliteAsset(path), await resolve(join(folder, 'x.db')), 1, bench.step),
      taken,
    );
    await rm(join(folder, 'x.db-wal'));
    await source.checkTarget(sqliteAsset(path), await resolve(join(folder, 'x.db')), 1, bench.step);
    await assert.rejects(
      source.checkTarget(sqliteAsset(path), await resolve(join(folder, 'x.db')), 1e18, bench.step),
      {
        code: 'target.tooSmall',
      },
    );
    await assert.rejects(resolve('relative.db'), { code: 'usage' });
    await assert.rejects(resolve(`${path}-wal`), { code: 'usage' });
  });

  it('takes a safety point of what is there, and none of nothing', async () => {
    const target = order.target;
    assert.equal(await source.captureForSafety(sqliteAsset(path), target, bench.workspace, bench.step), null);
    sql(path, 'CREATE TABLE t(a);');
    const safety = await source.captureForSafety(sqliteAsset(path), target, bench.workspace, bench.step);
    assert.equal(safety?.method, 'sqlite-backup');
    await safety?.close();
  });

  it('brings raw files of a safety point back with their log', async () => {
    await rm(restored, { recursive: true });
    await leaveLog();
    await mkdir(restored);
    for (const suffix of ['', '-wal'])
      await writeFile(join(restored, `app.db${suffix}`), await readFile(path + suffix));
    for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix);
    sql(path, 'CREATE TABLE t(a);');
    await source.swap(sqliteAsset(path), order, bench.step);
    assert.equal(rows(), '501');
  });

  it('answers health checks in SQL', async () => {
    sql(path, 'CREATE TABLE t(a); INSERT INTO t VALUES(1);');
    const holds = (text: string) => source.holds(sqliteAsset(path), order.target, text, bench.step);
    assert.equal(await holds('select count(*) > 0 from t'), true);
    assert.equal(await holds('select count(*) > 1 from t'), false);
    assert.equal(await holds('-- a comment\nselect 1'), true);
    assert.equal(await holds('select 1 from t where a = 7'), false);
    await assert.rejects(holds('.shell true'));
    await assert.rejects(holds('select * from absent'), { cause: /no such table: absent/ });
  });
});
