import assert from 'node:assert/strict';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { notSoon } from '../fixtures/not-soon.ts';
import { restic, snapshotsIn } from '../fixtures/restic.ts';
import { makeStack, type Json, type Stack } from '../fixtures/stack.ts';

// A copy that travels on its own cadence, through the command line. The tests are the chapters of one story.

describe('a copy that travels by itself', () => {
  let stack: Stack;
  const at = (...names: string[]) => join(stack.folder, ...names);
  const copy = async (): Promise<Json> => (await stack.run('sync', 'list')).json.items[0];
  const backUp = async (content: string) => {
    await writeFile(at('tree', 'file'), content);
    const { exitCode, stdout } = await stack.run('backup', 'run', 'daily');
    assert.equal(exitCode, 0, stdout);
  };

  before(async () => {
    stack = await makeStack();
    await mkdir(at('tree'));
    await writeFile(at('near.key'), 'key of near', { mode: 0o600 });
    await writeFile(at('far.key'), 'key of far', { mode: 0o600 });
    await stack.configure({
      // Its jobs and snapshots would be counted among those looked at here.
      controlPlane: { repositories: [] },
      repositories: ['near', 'far'].map((name) => ({
        name,
        type: 'restic',
        url: `./${name}`,
        password: `file:./${name}.key`,
      })),
      assets: [{ name: 'tree', type: 'directory', path: at('tree') }],
      policies: [
        {
          name: 'daily',
          assets: ['tree'],
          cron: notSoon(),
          repository: 'near',
          copies: [{ repository: 'far', every: '30d', lag: '31d', retention: { keepLast: 2 } }],
          proof: 'stored',
        },
      ],
    });
    await stack.up();
  });
  after(() => stack?.dispose());

  it('is not waited for by a backup, and how far it is behind is shown', async () => {
    const { json } = await stack.run('policy', 'list');
    assert.ok(json.items[0].runs.some(({ schedule }: Json) => schedule === 'sync/daily/far'));
    await backUp('one');
    await backUp('two');
    await backUp('three');
    const { lagPoints, lagSeconds, breached, lastStatus } = await copy();
    assert.equal(lagPoints, 3);
    assert.ok(lagSeconds >= 0);
    assert.equal(breached, false);
    assert.equal(lastStatus, null);
  });

  it('takes only what it would keep, under its own key', async () => {
    const { exitCode, json, stdout } = await stack.run('sync', 'run', 'daily');
    assert.equal(exitCode, 0, stdout);
    assert.equal(json.type, 'sync');
    assert.equal(json.repository, 'far');
    assert.match(json.workflowId, /^sync\/daily\/far-\d{4}/);
    const there = await snapshotsIn(at('far'), at('far.key'), 'tree');
    assert.equal(there.length, 2);
    const points: Json[] = (await stack.run('points', 'list')).json.items;
    const copied = points.filter(({ copies }) => copies.some((one: Json) => one.repository === 'far'));
    assert.deepEqual(
      copied.map(({ id }) => id),
      points.slice(0, 2).map(({ id }) => id),
    );
    for (const { id } of copied)
      assert.ok(
        there.some(({ tags }) => tags?.includes(`holdfast:point=${id}`)),
        `no snapshot of ${id}`,
      );
    const state = await copy();
    assert.equal(state.lagPoints, 0);
    assert.equal(state.lastStatus, 'success');
    const checked = await restic(at('far'), at('far.key'), 'check', '--read-data');
    assert.equal(checked.exitCode, 0, checked.stderr);
  });

  it('sends nothing twice', async () => {
    const { exitCode, json } = await stack.run('sync', 'run', 'daily', '--to', 'far');
    assert.equal(exitCode, 0);
    assert.equal(json.assets[0].status, 'skipped');
    assert.equal((await snapshotsIn(at('far'), at('far.key'), 'tree')).length, 2);
  });

  it('whose repository is away says so with its cause, and catches up when it is back', async () => {
    await backUp('four');
    await rename(at('far'), at('far.away'));
    const failed = await stack.run('sync', 'run', 'daily');
    assert.equal(failed.exitCode, 10, failed.stdout);
    const { lastStatus, error, lagPoints } = await copy();
    assert.equal(lastStatus, 'failed');
    assert.equal(error.code, 'repository.absent');
    assert.equal(lagPoints, 1);
    await rename(at('far.away'), at('far'));
    const { exitCode, stdout } = await stack.run('sync', 'run', 'daily');
    assert.equal(exitCode, 0, stdout);
    const state = await copy();
    assert.equal(state.lastStatus, 'success');
    assert.equal(state.lagPoints, 0);
  });

  it('goes on where it was when its worker is killed', async () => {
    await backUp('five'.repeat(1000));
    const started = await stack.run('sync', 'run', 'daily', '--detach');
    assert.equal(started.exitCode, 0, started.stdout);
    const { worker } = await stack.pids();
    process.kill(worker!, 'SIGKILL');
    await stack.cameBack('worker', worker!);
    const job = await stack.ended(started.json.id);
    assert.equal(job.status, 'success');
    assert.equal((await copy()).lagPoints, 0);
    const snapshots = await snapshotsIn(at('far'), at('far.key'), 'tree');
    const held = new Set(
      snapshots.map(({ tags }) => tags?.find((tag: string) => tag.startsWith('holdfast:point='))),
    );
    assert.equal(held.size, snapshots.length, 'a point is there twice');
  });

  it('restores on its own', async () => {
    const { exitCode, json, stdout } = await stack.run(
      'restore',
      'prepare',
      '--asset',
      'tree',
      '--from',
      'far',
      '--to',
      at('restored'),
    );
    assert.equal(exitCode, 0, stdout);
    assert.equal(json.status, 'prepared');
    assert.equal(json.repository ?? 'far', 'far');
  });
});
