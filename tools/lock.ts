// One process of this host at a time, among processes that may be killed at any moment. A claim is a file whose name tells
// its owner and is never used twice, so that anyone may delete a dead owner's claim without taking a live one.
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { execa } from 'execa';
import { HoldfastError } from '../domain/errors.ts';

interface LockOptions {
  /** What is done under the lock, for the error: "installing restic 0.19.1". */
  purpose: string;
  waitSeconds: number;
  /** Called once, when somebody else holds it. */
  onWait?(ownerProcess: number): void;
}

/** Runs `action` while no other live process runs one under the same folder. */
export async function withLock<T>(
  directory: string,
  options: LockOptions,
  action: () => Promise<T>,
): Promise<T> {
  const claim = await acquire(directory, options);
  try {
    return await action();
  } finally {
    await rm(claim, { force: true });
  }
}

/** The name of a claim: the owner's process id and when that process started, since ids come round again. */
export async function claimName(processId: number = process.pid): Promise<string> {
  const started = await processStart(processId);
  return `${processId}.${started ?? 'gone'}.${randomUUID()}`;
}

async function acquire(directory: string, options: LockOptions): Promise<string> {
  await mkdir(directory, { recursive: true });
  const claim = join(directory, await claimName());
  const deadline = Date.now() + options.waitSeconds * 1000;
  let told = false;
  for (;;) {
    const owner = (await liveOwner(directory)) ?? (await claimUnlessContended(directory, claim));
    if (owner === undefined) return claim;
    if (!told) options.onWait?.(owner);
    told = true;
    if (Date.now() > deadline) throw stillHeld(directory, owner, options);
    await wait(50 + Math.random() * 150);
  }
}

/**
 * Claim first, look second: of two processes that do so at once at least one sees the other and withdraws, so
 * both never hold.
 */
async function claimUnlessContended(directory: string, claim: string): Promise<number | undefined> {
  await writeFile(claim, '', { flag: 'wx' });
  const owner = await liveOwner(directory, claim);
  if (owner !== undefined) await rm(claim, { force: true });
  return owner;
}

async function liveOwner(directory: string, ownClaim?: string): Promise<number | undefined> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (path === ownClaim) continue;
    const [processId, started] = name.split('.');
    const owner = Number(processId);
    if (started !== undefined && (await processStart(owner)) === started) return owner;
    await rm(path, { force: true });
  }
  return undefined;
}

/** Distinguishes a process from a later one with the same id; undefined when there is no such process. */
async function processStart(processId: number): Promise<string | undefined> {
  if (!Number.isSafeInteger(processId) || processId <= 0) return undefined;
  if (process.platform !== 'linux') return processStartFromPs(processId);
  try {
    const status = await readFile(`/proc/${processId}/stat`, 'utf8');
    // The command's name, in parentheses, may hold spaces and parentheses itself.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    const [state, ticksSinceBoot] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return undefined;
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    return `${boot.slice(0, 8)}-${ticksSinceBoot}`;
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

async function processStartFromPs(processId: number): Promise<string | undefined> {
  const { stdout, failed } = await execa('ps', ['-o', 'lstart=', '-p', String(processId)], { reject: false });
  const started = failed ? '' : stdout.replaceAll(/[^A-Za-z0-9]/g, '');
  return started === '' ? undefined : started;
}

function stillHeld(directory: string, owner: number, options: LockOptions): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `${options.purpose} has waited ${options.waitSeconds} s for process ${owner}, which does the same`,
    cause: `process ${owner} is alive and has a claim in ${directory}`,
    hint: `wait for process ${owner} to finish, or end it, then try again`,
  });
}
