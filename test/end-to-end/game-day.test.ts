import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { freePort } from '../../activities/hosts/postgres-cluster.ts';
import { sql } from '../activities/sources/sqlite-writer.ts';
import { notSoon } from '../fixtures/not-soon.ts';
import { makeStack, type Json, type Stack } from '../fixtures/stack.ts';
import { until } from '../fixtures/until.ts';

// A small shop with a database and files, taken down for real and brought back from off-site. The tests are the
// chapters of one story.

const APP = `
  import { createServer } from 'node:http';
  import { existsSync, readdirSync } from 'node:fs';
  import { execFileSync } from 'node:child_process';
  const sales = () => Number(execFileSync('sqlite3', ['-readonly', 'sales.db', 'select count(*) from sales']));
  createServer(({ url }, answer) => {
    try {
      if (url === '/api/health') answer.end(String(sales() > 0 && existsSync('uploads')));
      else answer.end(JSON.stringify({ sales: sales(), uploads: readdirSync('uploads').toSorted() }));
    } catch (error) {
      answer.statusCode = 500;
      answer.end(String(error));
    }
  }).listen(Number(process.argv[2]), '127.0.0.1');`;
const START = 'setsid node app.mjs "$1" > app.log 2>&1 & echo $! > app.pid';
const STOP = 'if test -f app.pid; then kill "$(cat app.pid)" || true; rm app.pid; fi';

describe('a game day', function () {
  this.timeout(300_000);
  let stack: Stack;
  let port: number;
  const at = (...names: string[]) => join(stack.folder, ...names);
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
    return response?.ok ? response.text() : null;
  };
  const report = async (): Promise<Json> => JSON.parse((await ask('/api/report')) ?? 'null');
  const script = (name: string, text: string) => writeFile(at(name), `set -e\n${text}\n`, { mode: 0o700 });

  before(async () => {
    stack = await makeStack();
    port = await freePort();
    await mkdir(at('uploads'));
    await writeFile(at('uploads', 'first'), 'first');
    sql(at('sales.db'), 'create table sales (what text); insert into sales values (1), (2), (3)');
    await writeFile(at('app.mjs'), APP);
    await script('start.sh', START);
    await script('stop.sh', STOP);
    await script('wipe.sh', `${STOP}\nrm -rf uploads sales.db sales.db-wal sales.db-shm`);
    await script('broken.sh', 'echo "no hands" >&2; exit 3');
    for (const name of ['near', 'far']) await writeFile(at(`${name}.key`), `key of ${name}`, { mode: 0o600 });
    const http = `http://127.0.0.1:${port}/api/health`;
    const played = (program: string) => ({
      takeDown: [['sh', program]],
      watch: { http },
      noticeWithin: '20s',
      backWithin: '20s',
    });
    await stack.configure({
      repositories: ['near', 'far'].map((name) => ({
        ...{ name, type: 'restic', url: `./${name}`, password: `file:./${name}.key` },
      })),
      assets: [
        {
          ...{ name: 'sales', type: 'sqlite', path: at('sales.db') },
          restore: { stop: [['sh', 'stop.sh']] },
        },
        {
          ...{ name: 'uploads', type: 'directory', path: at('uploads') },
          restore: { start: [['sh', 'start.sh', String(port)]], health: [{ http }] },
        },
        { name: 'app', type: 'directory', path: at('far') },
      ],
      policies: [
        {
          ...{ name: 'shop', assets: ['sales', 'uploads'], cron: notSoon(), proof: 'proven' },
          ...{ repository: 'near', copies: ['far'] },
        },
        {
          name: 'plain',
          assets: ['app'],
          cron: notSoon(),
          repository: 'near',
          copies: ['far'],
          proof: 'stored',
        },
      ],
      drills: [
        { name: 'outage', policies: ['shop'], from: 'far', scenario: 'hostLoss', gameDay: played('wipe.sh') },
        { name: 'unproven', policies: ['shop', 'plain'], from: 'far', gameDay: played('wipe.sh') },
        { name: 'clumsy', policies: ['shop'], from: 'far', gameDay: played('broken.sh') },
        { name: 'rehearsed', policies: ['shop'], from: 'far' },
      ],
    });
    await stack.up();
    await execa('sh', ['start.sh', String(port)], { cwd: stack.folder, stdio: 'ignore' });
    await until('the shop is open', async () => (await ask('/api/health')) !== null);
    const backup = await stack.run('backup', 'run', 'shop');
    assert.equal(backup.exitCode, 0, backup.stdout);
  });
  after(async () => {
    if (stack) await execa('sh', ['stop.sh'], { cwd: stack.folder, reject: false });
    await stack?.dispose();
  });

  it('is refused without its name, of another drill, and of one that says nothing of it', async () => {
    for (const words of [[], ['--yes-destroy', 'rehearsed']]) {
      const { exitCode, json } = await stack.run('drill', 'run', 'outage', '--game-day', ...words);
      assert.deepEqual([exitCode, json.error?.code], [22, 'confirmation.missing']);
      assert.match(json.error.cause, /wipe\.sh/);
    }
    const words = ['--game-day', '--yes-destroy', 'rehearsed'];
    const { exitCode, json } = await stack.run('drill', 'run', 'rehearsed', ...words);
    assert.deepEqual([exitCode, json.error?.code], [2, 'configuration.invalid']);
    assert.equal((await report()).sales, 3);
    assert.deepEqual((await stack.run('drill', 'list')).json.items, []);
  });

  it('is refused where an asset was never proven from the copy, and nothing was taken down', async () => {
    const words = ['--game-day', '--yes-destroy', 'unproven'];
    const { exitCode, json } = await stack.run('drill', 'run', 'unproven', ...words);
    assert.deepEqual([exitCode, json.error?.code], [1, 'point.unknown'], JSON.stringify(json));
    assert.match(json.error.cause, /of: app$/);
    assert.equal((await report()).sales, 3);
  });

  it('whose commands fail while the service stays well restores nothing over it', async () => {
    const words = ['--game-day', '--yes-destroy', 'clumsy'];
    const { json } = await stack.run('drill', 'run', 'clumsy', ...words);
    assert.equal(json.outcome, 'failed');
    assert.match(json.error.cause, /sh broken\.sh ended with exit code 3/);
    assert.deepEqual((await stack.run('restore', 'list')).json.items, []);
    assert.match(json.error.hint, /restore prepare --asset sales --point/);
    assert.equal((await report()).sales, 3);
  });

  it('takes the shop down with its data and brings it back from off-site, with a timeline', async () => {
    sql(at('sales.db'), 'insert into sales values (4)');
    await writeFile(at('uploads', 'second'), 'second');
    const words = ['--game-day', '--yes-destroy', 'outage'];
    const { exitCode, json, stdout, stderr } = await stack.run('drill', 'run', 'outage', ...words);
    assert.equal(exitCode, 0, stdout + stderr);
    assert.equal(json.outcome, 'passed', stdout);
    assert.deepEqual(await report(), { sales: 3, uploads: ['first'] });
    const told = json.timeline.map(({ asset, what }: Json) => `${asset ?? ''} ${what}`.trim());
    const order = [
      /^the service is well$/,
      /^sales kept as safety point/,
      /^uploads kept as safety point/,
      /^taken down$/,
      /^sales lost: what was written in the .+ since 20/,
      /^noticed .+ after: /,
      /^sales restore r-\d+ from far begins$/,
      /^sales back/,
      /^uploads back/,
      /^the service is well again, .+ after it was taken down$/,
    ];
    let from = 0;
    for (const words of order) {
      const found = told.findIndex((line: string, index: number) => index >= from && words.test(line));
      assert.ok(found >= 0, `${words} is not in its place:\n${told.join('\n')}`);
      from = found + 1;
    }
    assert.ok(json.rtoSeconds > 0);
    assert.ok(json.rpoSeconds > 0);
    assert.deepEqual(
      json.phases.map(({ name }: Json) => name),
      ['prepare', 'safety', 'takeDown', 'notice', 'restore', 'back'],
    );
  });

  it('kept what was lost as safety points, and leaves evidence that verifies', async () => {
    const { items } = (await stack.run('points', 'list', '--kind', 'safety', '--asset', 'uploads')).json;
    const kept = items.map(({ id }: Json) => id);
    const [{ timeline, evidence }] = (await stack.run('drill', 'list', '--drill', 'outage')).json.items;
    const [, id] = /safety point (\S+)/.exec(timeline.find(({ asset }: Json) => asset === 'uploads').what)!;
    assert.ok(kept.includes(id), `${id} is not in ${kept.join(', ')}`);
    const to = at('beside');
    const prepared = await stack.run('restore', 'prepare', '--asset', 'uploads', '--point', id!, '--to', to);
    assert.equal((await stack.run('restore', 'commit', prepared.json.id)).exitCode, 0);
    assert.deepEqual((await readdir(to)).toSorted(), ['first', 'second']);
    const { exitCode, stdout } = await stack.run('evidence', 'verify', evidence);
    assert.equal(exitCode, 0, stdout);
    const { payload } = JSON.parse(await readFile(evidence, 'utf8')) as { payload: string };
    const { record }: { record: Json } = JSON.parse(
      Buffer.from(payload, 'base64').toString('utf8'),
    ).predicate;
    const [{ tool, arguments: shown, exitCode: ended }] = record.commands;
    assert.deepEqual([tool, shown, ended], ['sh', ['…'], 0]);
    assert.deepEqual(
      record.tools.map(({ name }: Json) => name),
      ['restic', 'sqlite3'],
    );
    const rendered = (await readdir(join(evidence, '..'))).find((name) => /outage.*\.md$/.test(name));
    assert.match(await readFile(join(evidence, '..', rendered ?? ''), 'utf8'), /## Timeline/);
  });
});
