// Clears the way for a server where an earlier one was killed.

import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ifThere } from './if-there.ts';
import { HoldfastError } from '../../domain/errors.ts';

/**
 * A server that was killed leaves postmaster.pid; when its number has been given to another process of
 * the same account, PostgreSQL refuses to start. Its own protection against a second server on the same
 * files hangs on that file too, so it goes only when no process at all works in the folder.
 */
export async function clearDeadLock(folder: string, patienceSeconds: number): Promise<void> {
  const lock = join(folder, 'postmaster.pid');
  const deadline = Date.now() + patienceSeconds * 1000;
  for (;;) {
    const content = await ifThere(readFile(lock, 'utf8'));
    if (content === null) return;
    const pids = await processesIn(folder);
    if (pids.length === 0) return rm(lock, { force: true });
    if (Date.now() > deadline) {
      throw new HoldfastError({
        code: 'service.failed',
        message: `the PostgreSQL in ${folder} is running already`,
        cause: `process ${pids.join(', ')} works in that folder`,
        hint: 'stop the program that started it (`holdfast down`), then try again',
      });
    }
    await pause(100);
  }
}

/** Every process of a server has its data folder as working directory. */
async function processesIn(folder: string): Promise<number[]> {
  const wanted = await stat(folder);
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const inside = await Promise.all(
    numbers.map(async (number) => {
      const found = await stat(`/proc/${number}/cwd`).catch(() => null);
      return found?.ino === wanted.ino && found.dev === wanted.dev;
    }),
  );
  return numbers.filter((_, index) => inside[index]).map(Number);
}
