import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createProcessFence } from '../../../activities/hosts/process-fence.ts';
import { HoldfastError } from '../../../domain/errors.ts';
import {
  childrenOf,
  commandLineOf,
  removeFolder,
  temporaryFolder,
  until,
} from '../repositories/repository-fixtures.ts';

describe('process fence', function () {
  this.timeout(180_000);
  let dataDir: string;
  const started: ChildProcess[] = [];
  const start = (command: string, ...words: string[]): ChildProcess & { pid: number } => {
    const child = spawn(command, words, { stdio: 'ignore' });
    started.push(child);
    assert.ok(child.pid);
    return child as ChildProcess & { pid: number };
  };
  const ended = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;
  const registry = () => join(dataDir, 'run', 'operations');

  beforeEach(async () => {
    dataDir = await temporaryFolder();
  });
  afterEach(async () => {
    started.splice(0).forEach((child) => child.kill('SIGKILL'));
    await removeFolder(dataDir);
  });

  it('ends what an earlier attempt left, with its descendants, and only that', async () => {
    const tool = start('sh', '-c', 'sleep 311 & sleep 312 & wait');
    const other = start('sleep', '313');
    const children = await until('its children', async () => {
      const found = await childrenOf(tool.pid);
      return found.length === 2 ? found : null;
    });
    await createProcessFence(dataDir).record('job/1.orders', { pid: tool.pid, tool: 'restic' });

    // Another fence: the worker that recorded it is gone.
    const killed = await createProcessFence(dataDir).fenceOff('job/1.orders');
    assert.deepEqual(killed, [{ pid: tool.pid, tool: 'restic' }]);
    for (const pid of [tool.pid, ...children]) assert.equal(await commandLineOf(pid), '');
    await assert.rejects(stat(`/proc/${tool.pid}`), 'not even a zombie is left');
    assert.ok(!ended(other));
    assert.deepEqual(await readdir(registry()), []);
  });

  it('ends a tool that is stopped, as a frozen machine leaves it', async () => {
    const tool = start('sleep', '311');
    const fence = createProcessFence(dataDir);
    await fence.record('k', { pid: tool.pid, tool: 'restic' });
    process.kill(tool.pid, 'SIGSTOP');
    await fence.fenceOff('k');
    await until('its end', () => ended(tool));
  });

  it('spares a later process with the same pid, and one of another boot', async () => {
    const fence = createProcessFence(dataDir);
    const stranger = start('sleep', '311');
    await fence.record('k', { pid: stranger.pid, tool: 'restic' });
    const [file] = await readdir(registry());
    const path = join(registry(), file ?? '');
    const [entry] = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>[];
    for (const changed of [{ startTime: '1' }, { bootId: 'another' }]) {
      await writeFile(path, JSON.stringify([{ ...entry, ...changed }]));
      assert.deepEqual(await fence.fenceOff('k'), []);
    }
    assert.ok(!ended(stranger));
  });

  it('keeps each operation apart, readable for us only, and forgets it when released', async () => {
    const fence = createProcessFence(dataDir);
    const one = start('sleep', '311');
    const two = start('sleep', '312');
    await Promise.all([
      fence.record('../one', { pid: one.pid, tool: 'a' }),
      fence.record('../one', { pid: two.pid, tool: 'b' }),
      fence.record('two', { pid: two.pid, tool: 'b' }),
    ]);
    const files = await readdir(registry());
    assert.equal(files.length, 2);
    for (const file of files) assert.equal((await stat(join(registry(), file))).mode & 0o777, 0o600);
    await fence.release('../one');
    assert.deepEqual(await fence.fenceOff('../one'), []);
    assert.ok(!ended(one));
    assert.deepEqual(await fence.fenceOff('two'), [{ pid: two.pid, tool: 'b' }]);
    assert.deepEqual(await fence.fenceOff('never'), []);
  });

  it('refuses to go on when a process cannot be ended', async () => {
    // A zombie whose parent never reaps it stands for whatever outlives SIGKILL.
    const parent = start('perl', '-e', 'my $p = fork; if (!$p) { sleep 311; exit } sleep 312');
    const [child] = await until('the child', async () => {
      const found = await childrenOf(parent.pid);
      return found.length > 0 ? found : null;
    });
    const fence = createProcessFence(dataDir, { boundSeconds: 0.3 });
    await fence.record('k', { pid: child ?? 0, tool: 'restic' });
    const failed = async () => fence.fenceOff('k');
    await assert.rejects(
      failed,
      (error) => error instanceof HoldfastError && error.code === 'fenced' && /state Z/.test(error.cause),
    );
    assert.equal((await readdir(registry())).length, 1, 'and remembers it');
    parent.kill('SIGKILL');
    await until('its end', async () => (await fence.fenceOff('k').catch(() => null)) !== null);
  });
});
