import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { notSoon } from '../fixtures/not-soon.ts';
import { leftovers } from '../fixtures/restic.ts';
import { kill, makeStack, type Json, type Stack } from '../fixtures/stack.ts';
import { treeDigest } from '../fixtures/tree-digest.ts';
import { until } from '../fixtures/until.ts';

// Rows 26 to 28 of the fault matrix, law 7: before the commit the target is what it was; after it the restore
// ends as one of two states, whole, with nothing beside it. Crashes between the renames of a swap are tested
// with the sources; here the worker dies around them.

const moments = ['stop', 'start', 'health'] as const;

describe('a worker killed during a restore', function () {
  let stack: Stack;
  let stored: string;
  const room = (...names: string[]) => join(stack.folder, 'room', ...names);

  before(async () => {
    stack = await makeStack();
    await mkdir(room('files', 'inner'), { recursive: true });
    for (let n = 0; n < 8; n += 1) await writeFile(room('files', `file ${n}`), randomBytes(1_000_000));
    await writeFile(room('files', 'inner', 'one'), 'one\n');
    await writeFile(join(stack.folder, 'key'), 'a key\n', { mode: 0o600 });
    /** Says that it was reached, and waits while it is held. */
    const held = (name: string) => [
      'sh',
      '-c',
      `touch room/at-${name}; while test -e room/hold-${name}; do sleep 0.05; done`,
    ];
    await stack.configure({
      repositories: [{ name: 'local', type: 'restic', url: './repo', password: 'file:./key' }],
      assets: [
        {
          name: 'files',
          type: 'directory',
          path: room('files'),
          restore: {
            stop: [held('stop')],
            start: [held('start')],
            health: [{ command: held('health') }, { command: ['test', '!', '-e', 'room/ill'] }],
          },
        },
      ],
      policies: [{ name: 'daily', assets: ['files'], cron: notSoon(), repository: 'local' }],
    });
    await stack.up();
    const { exitCode, stdout } = await stack.run('backup', 'run', 'daily');
    assert.equal(exitCode, 0, stdout);
    stored = await treeDigest(room('files'));
  });

  after(() => stack?.dispose());

  async function killWorker(): Promise<void> {
    const { worker = 0 } = await stack.pids();
    await kill(worker);
  }

  async function statusOf(id: string): Promise<Json> {
    return (await stack.get(`/restores/${id}`))?.status;
  }

  /** Production goes on after the backup: what a restore has to put back, and what it must not lose. */
  async function change(what: string): Promise<string> {
    await writeFile(room('files', what), `${what}\n`);
    await rm(room('files', 'file 3'), { force: true });
    return treeDigest(room('files'));
  }

  async function prepare(): Promise<string> {
    const { json, stdout } = await stack.run('restore', 'prepare', '--asset', 'files');
    assert.equal(json.status, 'prepared', stdout);
    return json.id;
  }

  async function nothingLeft(): Promise<void> {
    const beside = (await readdir(room())).filter((name) => name.includes('.holdfast-'));
    assert.deepEqual(beside, []);
    assert.deepEqual(await readdir(join(stack.dataDir, 'restores')), []);
    assert.deepEqual(await readdir(join(stack.dataDir, 'scratch')), []);
    assert.deepEqual(await leftovers(join(stack.folder, 'repo')), []);
  }

  it('while it prepares: the target is as it was, and it ends prepared', async () => {
    const before = await change('while preparing');
    const { json } = await stack.run('restore', 'prepare', '--asset', 'files', '--detach');
    await until('something is being staged', () =>
      stat(join(stack.dataDir, 'restores', json.id, 'staged')).catch(() => null),
    );
    await killWorker();
    assert.equal(await statusOf(json.id), 'preparing');
    assert.equal(await treeDigest(room('files')), before);
    await until('it is prepared', async () => (await statusOf(json.id)) === 'prepared');
    assert.equal(await treeDigest(room('files')), before);
    const cancelled = await stack.run('restore', 'cancel', json.id);
    assert.equal(cancelled.json.status, 'cancelled', cancelled.stdout);
    assert.equal(await treeDigest(room('files')), before);
    await nothingLeft();
  });

  it('cancelled while it prepares: the target is as it was', async () => {
    const before = await change('while cancelling');
    const { json } = await stack.run('restore', 'prepare', '--asset', 'files', '--detach');
    const cancelled = await stack.run('restore', 'cancel', json.id);
    assert.deepEqual([cancelled.exitCode, cancelled.json.status], [0, 'cancelled'], cancelled.stdout);
    assert.equal(await treeDigest(room('files')), before);
    await nothingLeft();
  });

  for (const moment of moments) {
    it(`after its commit, at ${moment}: it ends completed`, async () => {
      const before = await change(`at ${moment}`);
      const id = await prepare();
      await commitUpTo(id, moment);
      await killAt(moment);
      const status = await ended(id);
      assert.ok(['completed', 'rolledBack'].includes(status), status);
      assert.equal(await treeDigest(room('files')), status === 'completed' ? stored : before);
      // Nothing but the worker's death went wrong.
      assert.equal(status, 'completed');
      await nothingLeft();
    });
  }

  it('after its commit, while it rolls back: it ends rolled back', async () => {
    const before = await change('rolling back');
    const id = await prepare();
    await writeFile(room('ill'), '');
    await commitUpTo(id, 'health');
    await hold('stop');
    await rm(room('hold-health'));
    await killAt('stop');
    assert.equal(await ended(id), 'rolledBack');
    assert.equal(await treeDigest(room('files')), before);
    await nothingLeft();
    await rm(room('ill'));
  });

  async function hold(moment: string): Promise<void> {
    await rm(room(`at-${moment}`), { force: true });
    await writeFile(room(`hold-${moment}`), '');
  }

  async function commitUpTo(id: string, moment: string): Promise<void> {
    await hold(moment);
    const { exitCode, stdout } = await stack.run('restore', 'commit', id, '--detach');
    assert.equal(exitCode, 0, stdout);
    await reached(moment);
  }

  async function reached(moment: string): Promise<void> {
    await until(`the ${moment} command runs`, () => stat(room(`at-${moment}`)).catch(() => null));
  }

  async function killAt(moment: string): Promise<void> {
    await reached(moment);
    await killWorker();
    await rm(room(`hold-${moment}`));
  }

  async function ended(id: string): Promise<string> {
    const restore = await until(`restore ${id} has ended`, async () => {
      const found = await stack.get(`/restores/${id}`);
      return found?.endedAt && found;
    });
    return restore.status;
  }
});
