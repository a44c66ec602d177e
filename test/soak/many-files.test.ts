import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peakMemory } from '../../bench/processes.ts';
import { connect } from '../../client/connection.ts';
import { makeStack, type Stack } from '../fixtures/stack.ts';
import { until } from '../fixtures/until.ts';
import { skipBecause } from '../skip.ts';
import { wanted } from './wanted.ts';

const files = wanted('HOLDFAST_SOAK_FILES', 1_000_000);
const hours = 6;
/** Node.js with Temporal's core takes about 350 MiB of it before there is a single file. */
const WORKER_BYTES = 640 * 2 ** 20;
/** A job of one asset is some 60 events; one line per file would be a hundred times this. */
const HISTORY_BYTES = 128 * 1024;

// Row 38 of the faults: a million files, memory bounded, nothing per file in the history.
describe(`${files.toLocaleString('en')} files`, () => {
  let stack: Stack;
  const at = (...names: string[]) => join(stack.folder, ...names);

  before(async function () {
    stack = await makeStack();
    const room = await statfs(stack.folder);
    // Source and restored copy, and a restore in staging while they are compared.
    if (room.ffree > 0 && room.ffree < 4 * files)
      skipBecause(this, `the file system has ${room.ffree} inodes left, and ${4 * files} are needed`);
    await makeFiles(at('many'));
    await writeFile(at('key'), 'a key\n', { mode: 0o600 });
    await stack.configure({
      repositories: [{ name: 'local', type: 'restic', url: './repo', password: 'file:./key' }],
      assets: [{ name: 'many', type: 'directory', path: at('many') }],
      policies: [{ name: 'many', assets: ['many'], every: '7d', repository: 'local', proof: 'proven' }],
    });
    await stack.up();
  });
  after(() => stack?.dispose());

  it('are backed up and proven twice, with bounded memory and a history that does not grow with them', async () => {
    const first = await backUp();
    const second = await backUp();
    const { worker, temporal, api } = await stack.pids();
    const peaks = await Promise.all([worker, temporal, api].map((pid) => peakMemory(pid ?? 0)));
    process.stdout.write(
      `      peak MiB: worker ${mebibytes(peaks[0])}, temporal ${mebibytes(peaks[1])}, api ${mebibytes(peaks[2])}; ` +
        `history ${first.history} and ${second.history} bytes; ${first.seconds} s and ${second.seconds} s\n`,
    );
    assert.ok((peaks[0] ?? Infinity) < WORKER_BYTES, `the worker took ${mebibytes(peaks[0])} MiB`);
    assert.ok(first.history < HISTORY_BYTES && second.history < HISTORY_BYTES);
  });

  it('are restored, every one of them', async () => {
    const { json } = await stack.run('restore', 'prepare', '--asset', 'many', '--to', at('back'));
    assert.equal(json.status, 'prepared', JSON.stringify(json.error));
    const done = await stack.run('restore', 'commit', json.id);
    assert.equal(done.json.status, 'completed', done.stdout);
    const restored = (await readdir(at('back'), { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    assert.equal(restored.length, files);
    for (let index = 0; index < files; index += 1) {
      const path = fileAt(at('back'), index);
      assert.equal(await readFile(path, 'utf8'), contentOf(index));
      const [was, is] = await Promise.all([lstat(fileAt(at('many'), index)), lstat(path)]);
      assert.deepEqual([is.mtimeMs, is.mode], [was.mtimeMs, was.mode], path);
    }
    assert.ok((await peakMemory((await stack.pids())['worker'] ?? 0)) < WORKER_BYTES);
    await rm(at('back'), { recursive: true });
  });

  async function backUp(): Promise<{ history: number; seconds: number }> {
    const from = performance.now();
    const started = (await stack.run('backup', 'run', 'many', '--detach')).json;
    const job = await until(
      'the backup has ended',
      async () => {
        const job = await stack.get(`/jobs/${started.id}`);
        return job?.endedAt && job;
      },
      hours * 3600,
    );
    assert.equal(job.status, 'success', JSON.stringify(job.assets));
    assert.equal(job.assets[0].proof, 'proven');
    const { temporal } = JSON.parse(await readFile(join(stack.dataDir, 'run', 'stack.json'), 'utf8'));
    const client = connect(temporal);
    const { historySize } = await client.workflow.getHandle(job.workflowId).describe();
    await client.connection.close();
    return { history: historySize ?? Infinity, seconds: Math.round((performance.now() - from) / 1000) };
  }
});

async function makeFiles(root: string): Promise<void> {
  for (let index = 0; index < files; index += FILES_IN_FOLDER) {
    await mkdir(join(fileAt(root, index), '..'), { recursive: true });
    const end = Math.min(files, index + FILES_IN_FOLDER);
    for (let next = index; next < end; next += 1) await writeFile(fileAt(root, next), contentOf(next));
  }
}

const FILES_IN_FOLDER = 1000;

function fileAt(root: string, index: number): string {
  return join(root, `folder-${Math.floor(index / FILES_IN_FOLDER)}`, `file-${index}`);
}

function contentOf(index: number): string {
  return `file ${index}\n`.repeat(1 + (index % 7));
}

function mebibytes(bytes: number | undefined): number {
  return Math.round((bytes ?? NaN) / 2 ** 20);
}
