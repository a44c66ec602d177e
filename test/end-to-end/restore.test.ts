import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { notSoon } from '../fixtures/not-soon.ts';
import { makeStack, type Answer, type Json, type Stack } from '../fixtures/stack.ts';
import { treeDigest } from '../fixtures/tree-digest.ts';

describe('restore, through the command line', function () {
  let stack: Stack;
  let room: string;
  let stored: string;
  const at = (...names: string[]) => join(room, ...names);

  before(async () => {
    stack = await makeStack();
    room = join(stack.folder, 'room');
    await mkdir(at('files', 'inner'), { recursive: true });
    await writeFile(at('files', 'one'), 'one\n');
    await writeFile(at('files', 'two'), 'two\n');
    await writeFile(at('files', 'inner', 'three'), Buffer.alloc(200_000, 3));
    await writeFile(join(stack.folder, 'key'), 'a key\n', { mode: 0o600 });
    const append = (word: string) => ['sh', '-c', `echo ${word} >> room/said`];
    await stack.configure({
      repositories: [{ name: 'local', type: 'restic', url: './repo', password: 'file:./key' }],
      assets: [
        {
          name: 'files',
          type: 'directory',
          path: at('files'),
          restore: {
            stop: [append('stop')],
            start: [append('start')],
            health: [{ command: ['test', '!', '-e', 'room/ill'] }],
          },
        },
      ],
      policies: [{ name: 'daily', assets: ['files'], cron: notSoon(), repository: 'local' }],
    });
    await stack.up();
    const job = await stack.run('backup', 'run', 'daily');
    assert.equal(job.exitCode, 0, job.stdout);
    stored = await treeDigest(at('files'));
  });

  after(() => stack?.dispose());

  /** Production as it was backed up, and nothing beside it. */
  async function nothingBeside(): Promise<void> {
    const left = (await readdir(room)).filter((name) => name.includes('.holdfast-'));
    assert.deepEqual(left, []);
    assert.deepEqual(await readdir(join(stack.dataDir, 'restores')), []);
  }

  async function prepare(...words: string[]): Promise<string> {
    const { exitCode, json, stdout } = await stack.run('restore', 'prepare', '--asset', 'files', ...words);
    assert.deepEqual([exitCode, json.status], [0, 'prepared'], stdout);
    return json.id;
  }

  const refused = ({ exitCode, json }: Answer, exit: number, code: string) => {
    assert.deepEqual([exitCode, json.error?.code], [exit, code], JSON.stringify(json));
    assert.ok(json.error.message && json.error.hint);
  };

  it('goes to another place with --to, and leaves the asset alone', async () => {
    await writeFile(at('files', 'one'), 'changed\n');
    const changed = await treeDigest(at('files'));
    const id = await prepare('--to', at('beside'));
    const done = await stack.run('restore', 'commit', id);
    assert.deepEqual([done.exitCode, done.json.status, done.json.target], [0, 'completed', at('beside')]);
    assert.equal(await treeDigest(at('beside')), stored);
    assert.equal(await treeDigest(at('files')), changed);
    await nothingBeside();
  });

  it('refuses a place that is not empty', async () => {
    await mkdir(at('occupied'));
    await writeFile(at('occupied', 'mine'), 'mine');
    const before = await treeDigest(at('occupied'));
    refused(
      await stack.run('restore', 'prepare', '--asset', 'files', '--to', at('occupied')),
      1,
      'target.notEmpty',
    );
    assert.equal(await treeDigest(at('occupied')), before);
    await nothingBeside();
  });

  it('refuses to restore into its own repository, or over it', async () => {
    for (const place of ['repo', 'repo/inside', '.']) {
      const to = join(stack.folder, place);
      refused(await stack.run('restore', 'prepare', '--asset', 'files', '--to', to), 2, 'usage');
    }
    await nothingBeside();
  });

  it('cancelled before the commit, leaves the target as it was, byte for byte', async () => {
    const before = await treeDigest(at('files'));
    assert.notEqual(before, stored);
    const id = await prepare();
    assert.equal(await treeDigest(at('files')), before);
    const cancelled = await stack.run('restore', 'cancel', id);
    assert.deepEqual([cancelled.exitCode, cancelled.json.status], [0, 'cancelled']);
    assert.equal(await treeDigest(at('files')), before);
    refused(await stack.run('restore', 'commit', id), 11, 'restore.state');
    assert.equal(await treeDigest(at('files')), before);
    await nothingBeside();
  });

  it('takes what --include names and leaves the rest as it is', async () => {
    await writeFile(at('files', 'one'), 'changed\n');
    await writeFile(at('files', 'two'), 'changed too\n');
    const id = await prepare('--include', 'two', 'inner/three');
    const done = await stack.run('restore', 'commit', id);
    assert.equal(done.json.status, 'completed', done.stdout);
    assert.equal(await readFile(at('files', 'one'), 'utf8'), 'changed\n');
    assert.equal(await readFile(at('files', 'two'), 'utf8'), 'two\n');
    await nothingBeside();
  });

  it('rolls back when the health check fails', async () => {
    await writeFile(at('files', 'only now'), 'here\n');
    const before = await treeDigest(at('files'));
    const id = await prepare();
    await writeFile(at('ill'), '');
    await rm(at('said'), { force: true });
    const done = await stack.run('restore', 'commit', id);
    refused(done, 1, 'health.failed');
    assert.equal(done.json.status, 'rolledBack');
    assert.equal(await treeDigest(at('files')), before);
    assert.equal(await readFile(at('said'), 'utf8'), 'stop\nstart\nstop\nstart\n');
    await nothingBeside();
    await rm(at('ill'));
  });

  it('is committed once, whoever asks at the same time or later', async () => {
    const id = await prepare();
    const both = await Promise.all([stack.run('restore', 'commit', id), stack.run('restore', 'commit', id)]);
    const codes = both.map((answer) => answer.exitCode).sort((one, other) => one - other);
    assert.deepEqual(codes, [0, 11], JSON.stringify(both.map(({ json }) => json)));
    assert.equal(await treeDigest(at('files')), stored);
    refused(await stack.run('restore', 'commit', id), 11, 'restore.state');
    refused(await stack.run('restore', 'cancel', id), 11, 'restore.state');
    const safety = (await stack.run('points', 'list', '--kind', 'safety')).json.items as Json[];
    assert.equal(safety.filter(({ asset }) => asset === 'files').length, 3);
    await nothingBeside();
  });

  it('names what is not there', async () => {
    refused(await stack.run('restore', 'prepare', '--asset', 'nothing'), 1, 'notFound');
    const unknown = await stack.run('restore', 'prepare', '--asset', 'files', '--point', 'ffffffff');
    refused(unknown, 1, 'point.unknown');
    refused(await stack.run('restore', 'commit', 'r-99'), 1, 'notFound');
    const early = await stack.run('restore', 'prepare', '--asset', 'files', '--time', '2001-01-01T00:00:00Z');
    refused(early, 1, 'point.unknown');
  });
});
