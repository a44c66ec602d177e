// What runs in a clean room under an account of its own is ended by that account: also what has left its parent and its
// session, and is on nobody's record any more.

import { readdir, readFile, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { HoldfastError } from '../../domain/errors.ts';
import { ifThere } from '../hosts/if-there.ts';
import { isRoomsOwn } from './room-account.ts';

const BOUND_SECONDS = 10;

/**
 * Returns when none is left. The room's folder tells whose they are: it belongs to the account from the moment it is
 * given until the folder is gone. A room without an account of its own is left alone.
 */
export async function endRoomProcesses(folder: string): Promise<void> {
  const owner = (await ifThere(stat(folder)))?.uid;
  if (owner === undefined || process.getuid?.() !== 0 || !isRoomsOwn(owner)) return;
  const deadline = Date.now() + BOUND_SECONDS * 1000;
  for (;;) {
    const left = await processesOf(owner);
    if (left.length === 0) return;
    if (Date.now() > deadline) throw stillThere(folder, owner, left);
    for (const pid of left) kill(pid);
    await pause(20);
  }
}

/** Those that can still do something: a zombie that nobody reaps is none of them. */
export async function processesOf(uid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const states = await Promise.all(pids.map(async (pid) => ({ pid, status: await statusOf(pid) })));
  return states.flatMap(({ pid, status }) =>
    new RegExp(`^Uid:.*\\t${uid}(\\t|$)`, 'm').test(status) && !/^State:\t[ZX]/m.test(status) ? [pid] : [],
  );
}

/** Empty: it has ended. */
async function statusOf(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/status`, 'utf8');
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function stillThere(folder: string, uid: number, left: number[]): HoldfastError {
  return new HoldfastError({
    code: 'fenced',
    message: `the clean room ${folder} cannot be taken down: what was started in it could not be ended`,
    cause: `processes of uid ${uid} are still there ${BOUND_SECONDS} s after SIGKILL: ${left.join(', ')}`,
    hint: 'state D in `ps` means one waits for a disk or network mount: make that answer, or restart the machine',
    retryable: true,
  });
}
