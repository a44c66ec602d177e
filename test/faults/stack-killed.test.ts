import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { makeSlowBackup, type SlowBackup } from '../fixtures/slow-backup.ts';
import { isAlive, kill, type Json, type Stack } from '../fixtures/stack.ts';
import { until } from '../fixtures/until.ts';

// Rows 4 and 5 of the fault matrix: the parts below the worker, and all of it at once, in mid-upload.

describe('the stack killed in mid-upload', function () {
  let slow: SlowBackup;
  let stack: Stack;

  before(async () => {
    slow = await makeSlowBackup();
    stack = slow.stack;
  });

  after(() => stack?.dispose());

  it('Temporal killed: the job goes on', async () => {
    const job = await slow.inMidUpload();
    const { temporal = 0 } = await stack.pids();
    await kill(temporal);
    await stack.cameBack('temporal', temporal);
    await slow.assertOnePointEach(job);
  });

  it('the catalogue’s PostgreSQL killed: the job goes on', async () => {
    const job = await slow.inMidUpload();
    const { catalog = 0 } = await stack.pids();
    await kill(catalog);
    await stack.cameBack('catalog', catalog);
    await slow.assertOnePointEach(job);
    assert.equal((await stack.run('audit', 'verify')).exitCode, 0);
  });

  it('everything killed at once: `up` goes on with the job', async () => {
    const job = await slow.inMidUpload();
    const pids = await stack.pids();
    // The supervisor first: it must not start again what is killed after it.
    for (const part of ['supervisor', 'worker', 'temporal', 'catalog', 'api']) {
      if (await isAlive(pids[part] ?? 0)) process.kill(pids[part]!, 'SIGKILL');
    }
    for (const [part, pid] of Object.entries(pids)) {
      await until(`${part} is gone`, async () => !(await isAlive(pid)));
    }
    await stack.up();
    await slow.assertOnePointEach(job);
    assert.equal((await stack.run('audit', 'verify')).exitCode, 0);
  });

  it('Temporal’s database lost: the job is started again under its id, with its schedules', async () => {
    const job = await slow.inMidUpload();
    const before = await stack.get(`/jobs/${job}`);
    await stack.run('down');
    const lost = await stack.get('/jobs');
    assert.equal(lost, null);
    await rm(join(stack.dataDir, 'temporal'), { recursive: true });
    await stack.up();
    await slow.assertOnePointEach(job);
    const after = await stack.get(`/jobs/${job}`);
    assert.equal(after.workflowId, before.workflowId);
    assert.equal(after.assets[0].recoveryPointId, before.assets[0].recoveryPointId);
    assert.deepEqual(await schedulesOf(stack), ['backup/daily']);
    const { assets } = await stack.get('/status');
    assert.ok(assets.every((one: Json) => one.nextRunAt !== null));
  });
});

async function schedulesOf(stack: Stack): Promise<string[]> {
  const { readStack, stackFile } = await import('../../workers/stack-file.ts');
  const { temporal } = await readStack(stackFile(stack.dataDir));
  const connection = await Connection.connect({ address: temporal.address });
  try {
    const client = new Client({ connection, namespace: temporal.namespace });
    // Visibility lags.
    return await until('a schedule is listed', async () => {
      const ids = [];
      for await (const { scheduleId } of client.schedule.list()) ids.push(scheduleId);
      return ids.length > 0 && ids;
    });
  } finally {
    await connection.close();
  }
}
