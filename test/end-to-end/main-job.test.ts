import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeAssets, type Assets } from '../fixtures/assets.ts';
import { notSoon } from '../fixtures/not-soon.ts';
import { leftovers, restic, snapshotsIn } from '../fixtures/restic.ts';
import { makeStack, type Json, type Stack } from '../fixtures/stack.ts';

// Law 1 from the outside: three assets, two repositories, everything proven, everything lost, everything back.
// The tests are the chapters of one story and run in their order.

const names = ['orders', 'sales', 'uploads'];

describe('the main job, through the command line', function () {
  let stack: Stack;
  let assets: Assets;
  let job: Json;
  let known: { orders: string; sales: string[]; uploads: string };

  before(async () => {
    stack = await makeStack();
    assets = await makeAssets(stack.folder);
    await writeFile(join(stack.folder, 'local.key'), 'local-key\n', { mode: 0o600 });
    await writeFile(join(stack.folder, 'offsite.key'), 'offsite-key\n', { mode: 0o600 });
    await writeFile(join(stack.folder, 'orders.url'), assets.databaseUrl, { mode: 0o600 });
    await stack.configure({
      // Its jobs and snapshots would be counted among those looked at here.
      controlPlane: { repositories: [] },
      repositories: [
        { name: 'local', type: 'restic', url: './local', password: 'file:./local.key' },
        { name: 'offsite', type: 'restic', url: './offsite', password: 'file:./offsite.key' },
      ],
      assets: [
        {
          name: 'orders',
          type: 'postgres',
          url: 'file:./orders.url',
          checks: [{ sql: 'select count(*) = 5000 from orders' }],
        },
        { name: 'sales', type: 'sqlite', path: assets.sqliteFile },
        { name: 'uploads', type: 'directory', path: assets.tree },
      ],
      policies: [
        {
          name: 'critical',
          assets: names,
          cron: notSoon(),
          repository: 'local',
          copies: ['offsite'],
          retention: { keepLast: 3 },
          proof: 'proven',
          objectives: { rpo: '24h', rto: '30m' },
        },
      ],
    });
    await stack.up();
  });

  after(async () => {
    await assets?.stop();
    await stack?.dispose();
  });

  it('backs up three assets under way, copies them and proves them', async () => {
    const answer = await stack.run('backup', 'run', 'critical');
    assert.equal(answer.exitCode, 0, answer.stdout);
    job = answer.json;
    assert.equal(job.status, 'success');
    assert.deepEqual(
      job.assets.map((one: Json) => one.asset),
      names,
    );
    for (const one of job.assets)
      assert.deepEqual([one.status, one.proof, one.error], ['success', 'proven', null]);
    for (const key of ['id', 'workflowId', 'type', 'policy', 'startedAt', 'endedAt'])
      assert.ok(job[key], key);
    assert.match(job.workflowId, /^backup\/critical-\d{4}-\d\d-\d\dT/);
  });

  it('lists and shows its points in the shapes of the contract', async () => {
    const { json, exitCode } = await stack.run('points', 'list');
    assert.equal(exitCode, 0);
    assert.equal(json.next, null);
    assert.deepEqual(json.items.map((point: Json) => point.asset).sort(), names);
    const times = json.items.map((point: Json) => point.takenAt);
    assert.deepEqual(times, [...times].sort().reverse());
    const methods: Json = { orders: 'dump', sales: 'sqlite-backup', uploads: 'files' };
    for (const point of json.items) {
      assert.equal(point.id, job.assets.find((one: Json) => one.asset === point.asset).recoveryPointId);
      assert.deepEqual([point.kind, point.proof, point.method], ['regular', 'proven', methods[point.asset]]);
      assert.match(point.takenAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      assert.ok(point.bytes > 0 && point.addedBytes > 0);
      assert.deepEqual(
        point.copies.map((copy: Json) => copy.repository),
        ['local', 'offsite'],
      );
      for (const copy of point.copies) assert.ok(copy.artifactId && copy.storedAt);
      // Law 1: proven from the last copy made with the job.
      assert.deepEqual(
        point.copies.map((copy: Json) => copy.provenAt !== null),
        [false, true],
      );
      assert.deepEqual((await stack.run('points', 'show', point.id.slice(0, 8))).json, point);
    }
  });

  it('puts id, asset and kind of each point into the repository itself', async () => {
    for (const { asset, recoveryPointId } of job.assets) {
      for (const repository of ['local', 'offsite']) {
        const path = join(stack.folder, repository);
        const snapshots = await snapshotsIn(path, join(stack.folder, `${repository}.key`), asset);
        assert.equal(snapshots.length, asset === 'orders' ? 2 : 1, `${asset} in ${repository}`);
        for (const { tags } of snapshots) {
          assert.ok(tags.includes(`holdfast:point=${recoveryPointId}`));
          assert.ok(tags.includes('holdfast:kind=regular'));
        }
        assert.deepEqual(await leftovers(path), []);
      }
    }
  });

  it('says that all is well, and what was done', async () => {
    const { json } = await stack.run('status', '--check');
    assert.deepEqual(json.assets.map((one: Json) => [one.asset, one.health, one.reason]).sort(), [
      ['orders', 'ok', ''],
      ['sales', 'ok', ''],
      ['uploads', 'ok', ''],
    ]);
    for (const one of json.assets) assert.ok(one.rpo.verifiedSeconds >= 0 && one.rto.measuredSeconds > 0);
    const logs = await stack.run('jobs', 'logs', job.id);
    for (const name of names)
      assert.ok(
        logs.json.items.some((event: Json) => event.asset === name),
        name,
      );
    const shown = await stack.run('jobs', 'show', job.id);
    assert.deepEqual(shown.json, job);
    const audit = await stack.run('audit', 'verify');
    assert.deepEqual([audit.exitCode, audit.json.ok], [0, true]);
  });

  it('never puts the data of one asset over another’s', async () => {
    const [point] = (await stack.run('points', 'list', '--asset', 'orders')).json.items;
    const { exitCode, json } = await stack.run(
      'restore',
      'prepare',
      '--asset',
      'uploads',
      '--point',
      point.id,
    );
    assert.deepEqual([exitCode, json.error.code], [1, 'point.unknown'], JSON.stringify(json));
    assert.match(json.error.cause, /it is of orders/);
  });

  it('brings everything back after everything was lost', async () => {
    await assets.stopWriting();
    known = {
      orders: await assets.ordersRows(),
      sales: await assets.salesRows(),
      uploads: await assets.uploadsDigest(),
    };
    await assets.loseEverything();
    for (const asset of names) {
      const prepared = await stack.run('restore', 'prepare', '--asset', asset);
      assert.deepEqual([prepared.exitCode, prepared.json.status], [0, 'prepared'], prepared.stdout);
      assert.equal(prepared.json.validation.ok, true);
      assert.ok(prepared.json.impact.bytes > 0);
      const done = await stack.run('restore', 'commit', prepared.json.id);
      assert.deepEqual(
        [done.exitCode, done.json.status, done.json.error],
        [0, 'completed', null],
        done.stdout,
      );
    }
    assert.equal(await assets.ordersRows(), known.orders);
    assert.equal(await assets.uploadsDigest(), known.uploads);
    // The writer went on after the backup: what came back is the beginning of all it wrote.
    const back = await assets.salesRows();
    assert.ok(back.length >= 2000);
    assert.deepEqual(back, known.sales.slice(0, back.length));
  });

  it('keeps safety points apart, and leaves nothing of the restores', async () => {
    const { items } = (await stack.run('points', 'list')).json;
    assert.equal(items.length, 3);
    const safety = (await stack.run('points', 'list', '--kind', 'safety')).json.items;
    // Nothing was left of the tree to keep.
    assert.deepEqual(safety.map((point: Json) => point.asset).sort(), ['orders', 'sales']);
    const left = await restic(
      join(stack.folder, 'local'),
      join(stack.folder, 'local.key'),
      'check',
      '--read-data',
    );
    assert.equal(left.exitCode, 0, left.stderr);
    assert.deepEqual(await leftovers(join(stack.folder, 'local')), []);
    const databases = await assets.server.sql('postgres', 'select datname from pg_database order by 1');
    assert.deepEqual(
      databases.map((row) => row['datname']),
      ['orders', 'postgres', 'template0', 'template1'],
    );
  });
});
