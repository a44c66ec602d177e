import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { makeSlowBackup, type SlowBackup } from '../fixtures/slow-backup.ts';
import { kill, type Stack } from '../fixtures/stack.ts';
import { until } from '../fixtures/until.ts';

// Rows 1 to 3 of the fault matrix, in the middle of an upload that a limit makes slow.

describe('a worker or a tool that dies in mid-upload', function () {
  let slow: SlowBackup;
  let stack: Stack;

  before(async () => {
    slow = await makeSlowBackup();
    stack = slow.stack;
  });

  after(() => stack?.dispose());

  it('the worker killed: the job goes on by itself and makes one recovery point', async () => {
    const job = await slow.inMidUpload();
    const { worker = 0 } = await stack.pids();
    const tools = await toolsOf(stack);
    await kill(worker);
    for (const pid of tools) await until(`restic ${pid} died with its worker`, () => isGone(pid));
    await stack.cameBack('worker', worker);
    await slow.assertOnePointEach(job);
    assert.equal(await slow.retries(job), 1);
  });

  it('restic killed: it is tried again and makes one recovery point', async () => {
    const job = await slow.inMidUpload();
    const { worker } = await stack.pids();
    const [pid] = await toolsOf(stack);
    await kill(pid);
    await slow.assertOnePointEach(job);
    assert.equal(await slow.retries(job), 1);
    assert.equal((await stack.pids())['worker'], worker);
  });

  it('the worker frozen past its heartbeat: another one takes over, and the frozen one writes nothing', async () => {
    const job = await slow.inMidUpload();
    const { worker = 0 } = await stack.pids();
    process.kill(worker, 'SIGSTOP');
    const words = [program, 'workers/main.ts', stackFileOf(stack)];
    const second = execa(process.execPath, words, { reject: false, stdin: 'ignore' });
    try {
      const ended = await stack.ended(job);
      assert.equal(ended.status, 'success', JSON.stringify(ended, null, 2));
      thawIfThere(worker);
      // Its supervisor has another one by now.
      await stack.cameBack('worker', worker);
      await slow.assertOnePointEach(job);
    } finally {
      thawIfThere(worker);
      second.kill('SIGTERM');
      await second;
    }
  });
});

const program = fileURLToPath(new URL('../../tools/program.mjs', import.meta.url));

function stackFileOf(stack: Stack): string {
  return join(stack.dataDir, 'run', 'stack.json');
}

/** What the fence has on record for the step under way and is alive. */
async function toolsOf(stack: Stack): Promise<number[]> {
  const folder = join(stack.dataDir, 'run', 'operations');
  return until('restic is on record', async () => {
    // Written by rename and removed at the end of a step: a file may be gone before it is read.
    const names = await readdir(folder).catch(() => []);
    const texts = await Promise.all(
      names.map((name) => readFile(join(folder, name), 'utf8').catch(() => '[]')),
    );
    const recorded = texts.flatMap((text) => JSON.parse(text) as { pid: number; tool: string }[]);
    const alive: number[] = [];
    for (const { pid, tool } of recorded) if (tool === 'restic' && !(await isGone(pid))) alive.push(pid);
    return alive.length > 0 && alive;
  });
}

async function isGone(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)) === null;
}

function thawIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It was ended: that is one way of writing nothing.
  }
}
