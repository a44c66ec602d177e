import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { HoldfastError } from '../../domain/errors.ts';
import { writePrivately } from '../stack-file.ts';

// Who runs this data directory: `run/up.json`, believed only while the very process it names is alive.

const record = z.object({
  pid: z.number(),
  /** Field 22 of /proc/<pid>/stat: tells the process from a later one with its pid. */
  startTime: z.string(),
  ready: z
    .object({
      urls: z.object({ api: z.string().nullable(), temporalUi: z.string().nullable(), temporal: z.string() }),
      parts: z.record(z.string(), z.number()),
    })
    .nullable(),
});

export type RunningRecord = z.infer<typeof record>;

const STOP_MILLISECONDS = 90_000;

/** Two stacks in one data directory would tear it apart. Returns what gives the claim back. */
export async function claimDataDirectory(dataDir: string): Promise<() => Promise<void>> {
  const other = await findRunning(dataDir);
  if (other) {
    throw new HoldfastError({
      code: 'request.conflict',
      message: `${dataDir} is already being run`,
      cause: `by process ${other.pid}`,
      hint: 'use it as it is, stop it with `holdfast down`, or choose another dataDir',
    });
  }
  await writePrivately(fileOf(dataDir), await ownRecord(null));
  return () => rm(fileOf(dataDir), { force: true });
}

export async function markReady(dataDir: string, ready: NonNullable<RunningRecord['ready']>): Promise<void> {
  await writePrivately(fileOf(dataDir), await ownRecord(ready));
}

/** null: nothing runs, whatever files were left. */
export async function findRunning(dataDir: string): Promise<RunningRecord | null> {
  const text = await readFile(fileOf(dataDir), 'utf8').catch(() => null);
  if (text === null) return null;
  const found = record.parse(JSON.parse(text));
  return (await startTimeOf(found.pid)) === found.startTime ? found : null;
}

/** Asks the stack to end and returns when it has. */
export async function stopRunning(dataDir: string): Promise<boolean> {
  const running = await findRunning(dataDir);
  if (!running) return false;
  process.kill(running.pid, 'SIGTERM');
  const deadline = Date.now() + STOP_MILLISECONDS;
  while ((await startTimeOf(running.pid)) === running.startTime) {
    if (Date.now() > deadline) {
      throw new HoldfastError({
        code: 'service.failed',
        message: `the stack of ${dataDir} did not end`,
        cause: `process ${running.pid} is still there after ${STOP_MILLISECONDS / 1000} s`,
        hint: 'look at the logs in its log folder; `kill -9` is safe, the next `holdfast up` recovers',
      });
    }
    await pause(100);
  }
  return true;
}

async function ownRecord(ready: RunningRecord['ready']): Promise<RunningRecord> {
  return { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? '', ready };
}

async function startTimeOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The name in parentheses may hold anything, so the fields are counted from its end. A zombie is gone.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && fields[0] !== 'Z' ? (fields[19] ?? null) : null;
}

function fileOf(dataDir: string): string {
  return join(dataDir, 'run', 'up.json');
}
