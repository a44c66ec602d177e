import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { connect } from '../../client/index.ts';
import { resolveTool } from '../../tools/resolve.ts';
import { freePort, startServer, type Server } from '../activities/repositories/target-servers.ts';
import { makeAssets, type Assets } from '../fixtures/assets.ts';
import { notSoon } from '../fixtures/not-soon.ts';
import { makeStack, type Json, type Stack } from '../fixtures/stack.ts';
import { until } from '../fixtures/until.ts';

// The whole site is lost: service, data, near repository and every key but one. The tests are the chapters of one
// story: what is left is a bucket and the key of the repository in it.

const S3 = { S3_ID: 'canary-access-key', S3_SECRET: 'canary-secret-key-5b2e' };

describe('a site that was lost whole', function () {
  // Three assets, two repositories, two lives of one service, on whatever machine it is.
  this.timeout(600_000);
  let stack: Stack;
  let assets: Assets;
  let server: Server;
  let url: string;
  let kept: string;
  const at = (...names: string[]) => join(stack.folder, ...names);
  const was: {
    orders?: string;
    sales?: string[];
    uploads?: string;
    key?: Json;
    points?: Json[];
    configuration?: string;
  } = {};

  before(async () => {
    stack = await makeStack(S3);
    assets = await makeAssets(stack.folder);
    kept = at('kept');
    await mkdir(join(kept, 's3', 'bucket'), { recursive: true });
    const { path } = await resolveTool('versitygw');
    const port = await freePort();
    const words = ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', join(kept, 's3')];
    const root = { ROOT_ACCESS_KEY: S3.S3_ID, ROOT_SECRET_KEY: S3.S3_SECRET };
    server = await startServer(path, words, port, root);
    url = `s3:http://127.0.0.1:${port}/bucket/depot`;
    await writeFile(at('near.key'), 'key of near', { mode: 0o600 });
    await writeFile(at('far.key'), 'key of far', { mode: 0o600 });
    await copyFile(at('far.key'), join(kept, 'far.key'));
    await writeFile(at('orders.url'), assets.databaseUrl, { mode: 0o600 });
    await mkdir(at('notes'));
    await writeFile(at('notes', 'file'), 'a note');
    await stack.configure({
      repositories: [
        { name: 'near', type: 'restic', url: './near', password: 'file:./near.key' },
        {
          ...{ name: 'far', type: 'restic', url, password: 'file:./far.key' },
          env: { AWS_ACCESS_KEY_ID: 'env:S3_ID', AWS_SECRET_ACCESS_KEY: 'env:S3_SECRET' },
        },
      ],
      assets: [
        { name: 'orders', type: 'postgres', url: 'file:./orders.url' },
        { name: 'sales', type: 'sqlite', path: assets.sqliteFile },
        { name: 'uploads', type: 'directory', path: assets.tree },
        { name: 'notes', type: 'directory', path: at('notes') },
      ],
      policies: [
        {
          ...{ name: 'daily', assets: ['orders', 'sales', 'uploads'], cron: notSoon() },
          ...{ repository: 'near', copies: ['far'], retention: { keepLast: 3 } },
        },
        { name: 'resting', assets: ['notes'], cron: notSoon(), repository: 'near', copies: ['far'] },
      ],
      drills: [
        { name: 'quarterly', policies: ['daily'], from: 'far', scenario: 'siteLoss', cron: '0 3 1 */3 *' },
      ],
      controlPlane: { repositories: ['far'] },
    });
    await stack.up();
  });
  after(async () => {
    await stack?.dispose();
    await assets?.stop();
    await server?.stop();
  });

  it('is backed up, copied, drilled and known off-site before', async () => {
    await assets.stopWriting();
    const { exitCode, stdout } = await stack.run('backup', 'run', 'daily');
    assert.equal(exitCode, 0, stdout);
    const drilled = await stack.run('drill', 'run', 'quarterly');
    assert.equal(drilled.exitCode, 0, drilled.stdout);
    const paused = await stack.run('policy', 'pause', 'resting', '--reason', 'a new disk');
    assert.equal(paused.exitCode, 0, paused.stdout);
    was.orders = await assets.ordersRows();
    was.configuration = await readFile(stack.configurationFile, 'utf8');
    was.sales = await assets.salesRows();
    was.uploads = await assets.uploadsDigest();
    was.key = (await stack.run('audit', 'key')).json;
    was.points = (await stack.run('points', 'list')).json.items;
    const stored = await stack.run('control-plane', 'backup', '--repository', 'far');
    assert.equal(stored.exitCode, 0, stored.stdout);
    assert.equal((await stack.run('audit', 'export', '--output', join(kept, 'chain.ndjson'))).exitCode, 0);
    // Behind the back of what was stored off-site last.
    assert.equal((await stack.run('backup', 'run', 'resting')).exitCode, 0);
  });

  it('is lost', async () => {
    assert.equal((await stack.run('down')).exitCode, 0);
    for (const name of await readdir(stack.folder))
      if (name !== 'kept') await rm(at(name), { recursive: true, force: true });
    await assets.server.sql('postgres', 'drop database orders');
  });

  it('is back from the bucket and its key alone', async () => {
    const password = `file:${join(kept, 'far.key')}`;
    const env = ['--env', 'AWS_ACCESS_KEY_ID=env:S3_ID', 'AWS_SECRET_ACCESS_KEY=env:S3_SECRET'];
    const words = ['recover', '--repository', url, '--password', password, ...env];
    const { exitCode, json, stdout, stderr } = await stack.run(...words);
    assert.equal(exitCode, 0, stdout + stderr);
    assert.doesNotMatch(stdout + stderr, /key of (far|near)|canary/);
    assert.equal(await readFile(stack.configurationFile, 'utf8'), was.configuration);
    assert.deepEqual(json.audit.key, { keyId: was.key.keyId, state: 'inForce' });
    assert.equal(json.evidence, 1);
    assert.deepEqual(json.pausedPolicies, ['resting']);
    assert.deepEqual(json.recorded, [{ asset: 'notes', points: 1 }]);
    assert.deepEqual(json.missing, []);
    assert.deepEqual(
      json.unresolved.map(({ usedBy }: Json) => usedBy),
      ['repository near', 'repository far', 'asset orders'],
    );
    assert.match(json.toChange.join(), /far\.key/);
  });

  it('runs, with its Schedules, although the near repository and its key are gone', async () => {
    // What the report asks for; the near key stays lost.
    await copyFile(join(kept, 'far.key'), at('far.key'));
    await writeFile(at('orders.url'), assets.databaseUrl, { mode: 0o600 });
    await stack.up();
    const { temporal } = JSON.parse(await readFile(at('.holdfast', 'run', 'stack.json'), 'utf8'));
    const client = connect(temporal);
    const schedules = new Map<string, boolean>();
    for await (const { scheduleId, state } of client.schedule.list()) schedules.set(scheduleId, state.paused);
    await client.connection.close();
    assert.deepEqual([...schedules].sort(), [
      ['backup/daily', false],
      ['backup/resting', true],
      ['drill/quarterly', false],
      ['retention/daily', false],
    ]);
    const { json } = await stack.run('points', 'list');
    const ids = json.items.map(({ id }: Json) => id);
    for (const { id, proof } of was.points ?? []) {
      assert.ok(ids.includes(id), `${id} is not known any more`);
      assert.equal(json.items.find((one: Json) => one.id === id).proof, proof);
    }
    await until('nothing is left running of what was', async () => {
      const jobs = (await stack.get('/jobs?status=running'))?.items as Json[] | undefined;
      return jobs?.length === 0;
    });
  });

  it('has every asset restored from off-site', async () => {
    for (const asset of ['orders', 'sales', 'uploads']) {
      const prepared = await stack.run('restore', 'prepare', '--asset', asset, '--from', 'far');
      assert.equal(prepared.exitCode, 0, prepared.stdout);
      const committed = await stack.run('restore', 'commit', prepared.json.id);
      assert.equal(committed.exitCode, 0, committed.stdout);
    }
    assert.equal(await assets.ordersRows(), was.orders);
    assert.equal(await assets.uploadsDigest(), was.uploads);
    assert.deepEqual(await assets.salesRows(), was.sales);
  });

  it('keeps what it replaces off-site, as the near repository is gone', async () => {
    await writeFile(join(assets.tree, 'precious'), 'written since');
    const prepared = await stack.run('restore', 'prepare', '--asset', 'uploads', '--from', 'far');
    const committed = await stack.run('restore', 'commit', prepared.json.id);
    assert.equal(committed.exitCode, 0, committed.stdout);
    const { json } = await stack.run('points', 'show', committed.json.safetyPointId);
    assert.deepEqual(
      json.copies.map(({ repository }: Json) => repository),
      ['far'],
    );
  });

  it('backs up again once the near repository was made anew', async () => {
    await writeFile(at('near.key'), 'another key of near', { mode: 0o600 });
    const { path } = await resolveTool('restic');
    const from = ['--from-repo', url, '--from-password-file', at('far.key'), '--copy-chunker-params'];
    const env = { AWS_ACCESS_KEY_ID: S3.S3_ID, AWS_SECRET_ACCESS_KEY: S3.S3_SECRET };
    await execa(path, ['init', '--repo', at('near'), '--password-file', at('near.key'), ...from], { env });
    const { exitCode, stdout } = await stack.run('backup', 'run', 'daily');
    assert.equal(exitCode, 0, stdout);
  });

  it('is proven again by a drill, and goes on with the same chain, key and evidence', async () => {
    const drilled = await stack.run('drill', 'run', 'quarterly');
    assert.equal(drilled.exitCode, 0, drilled.stdout);
    const { json } = await stack.run('status');
    for (const name of ['orders', 'sales', 'uploads'])
      assert.ok(json.assets.find(({ asset }: Json) => asset === name).lastProvenAt, name);

    const verified = await stack.run('audit', 'verify');
    assert.equal(verified.exitCode, 0, verified.stdout);
    assert.deepEqual((await stack.run('audit', 'key')).json, was.key);
    const chain = at('chain.ndjson');
    assert.equal((await stack.run('audit', 'export', '--output', chain)).exitCode, 0);
    const events = async (file: string) =>
      (await readFile(file, 'utf8'))
        .split('\n')
        .filter((line) => line.includes('"sequence"') && line.includes('"action"'));
    const [then, now] = [await events(join(kept, 'chain.ndjson')), await events(chain)];
    const gap = now.findIndex((line) => line.includes('"controlPlane.recovered"'));
    assert.ok(gap > 0);
    assert.deepEqual(now.slice(0, gap), then.slice(0, gap));
    const { details } = JSON.parse(now[gap] ?? '');
    assert.equal(details.auditSequence, gap);

    const exported = at('exported');
    const folder = await stack.run('evidence', 'export', '--output', exported);
    assert.equal(folder.exitCode, 0, folder.stdout);
    const evidence = await stack.run('evidence', 'verify', exported, '--audit', chain);
    assert.equal(evidence.exitCode, 0, evidence.stdout);
    assert.equal(evidence.json.items.length, 2);
  });
});
