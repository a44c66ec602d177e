// A worker that was killed or frozen may leave tools running that still write. The fence keeps on disk which
// processes were started for an operation, and before the next attempt writes anything it kills them and
// proves them gone.

import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { HoldfastError } from '../../domain/errors.ts';

export interface ProcessFence {
  /** Call as soon as a process was started for the operation. */
  record(key: string, process: { pid: number; tool: string }): Promise<void>;
  /**
   * Kills whatever an earlier attempt left and is still the same process, with all its descendants, and
   * returns when they are gone: not even zombies, because restic takes a zombie's lock for a live one.
   * Returns what it killed. Throws `fenced` when one outlives the bound: nothing may be written then.
   */
  fenceOff(key: string): Promise<{ pid: number; tool: string }[]>;
  /** An earlier attempt has left processes on record: it did not end by itself. */
  isOpen(key: string): Promise<boolean>;
  /** The operation ended and its processes with it. */
  release(key: string): Promise<void>;
}

export interface FenceOptions {
  /** How long a killed process may take to disappear. */
  boundSeconds?: number;
}

export function createProcessFence(dataDir: string, { boundSeconds = 10 }: FenceOptions = {}): ProcessFence {
  const folder = join(dataDir, 'run', 'operations');
  // One writer at a time per fence: two tools of one operation may start in the same moment.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const next = last.then(action);
    last = next.catch(() => undefined);
    return next;
  };

  return {
    record: (key, { pid, tool }) =>
      inTurn(async () => {
        const seen = await identityOf(pid);
        if (!seen) return;
        const bootId = await currentBootId();
        const known = await readRegistry(folder, key);
        const owner = await identityOf(process.pid);
        const own = owner && { pid: owner.pid, startTime: owner.startTime };
        await writeRegistry(folder, key, [
          ...known,
          { pid, tool, startTime: seen.startTime, bootId, owner: own },
        ]);
      }),
    fenceOff: (key) =>
      inTurn(async () => {
        const left = await survivors(await readRegistry(folder, key));
        await endAll(left, key, boundSeconds);
        await rm(registryPath(folder, key), { force: true });
        return left.map(({ pid, tool }) => ({ pid, tool }));
      }),
    isOpen: async (key) => (await readRegistry(folder, key)).length > 0,
    release: (key) => inTurn(() => rm(registryPath(folder, key), { force: true })),
  };
}

const recordedProcess = z.object({
  pid: z.number().int().positive(),
  tool: z.string(),
  /** Field 22 of /proc/<pid>/stat: with the boot id it tells a process from a later one with its pid. */
  startTime: z.string(),
  bootId: z.string(),
  /** The worker that started it. */
  owner: z.object({ pid: z.number().int().positive(), startTime: z.string() }).nullable().default(null),
});
type RecordedProcess = z.infer<typeof recordedProcess>;

async function readRegistry(folder: string, key: string): Promise<RecordedProcess[]> {
  const path = registryPath(folder, key);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    return z.array(recordedProcess).parse(JSON.parse(text));
  } catch (error) {
    // Written by rename, so never half: somebody else changed it, and who still runs is not known.
    throw new HoldfastError({
      code: 'fenced',
      message: `what an earlier attempt of ${key} started cannot be read from ${path}`,
      cause: String(error),
      hint: `make sure no restic, pg_dump or sqlite3 of that attempt runs any more, then delete ${path}`,
    });
  }
}

async function writeRegistry(folder: string, key: string, processes: RecordedProcess[]): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = registryPath(folder, key);
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(processes));
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}

/** Keys hold slashes (`backup/critical-…`): encoded, so that each is one name in one folder. */
function registryPath(folder: string, key: string): string {
  return join(folder, `${encodeURIComponent(key).replaceAll('.', '%2E')}.json`);
}

async function survivors(recorded: RecordedProcess[]): Promise<RecordedProcess[]> {
  const bootId = await currentBootId();
  const alive: RecordedProcess[] = [];
  for (const process of recorded) {
    if (process.bootId === bootId && (await isSame(process))) alive.push(process);
  }
  return alive;
}

interface Target {
  pid: number;
  startTime: string;
}

/**
 * Descendants are looked up while their parent is stopped: running, it could start another between the
 * look and the kill; dead, its children belong to init and cannot be found any more.
 */
async function endAll(left: RecordedProcess[], key: string, boundSeconds: number): Promise<void> {
  for (const { pid } of left) send(pid, 'SIGSTOP');
  const targets: Target[] = [...left, ...(await descendantsOf(left))];
  for (const target of targets) if (await isSame(target)) send(target.pid, 'SIGKILL');
  const deadline = Date.now() + boundSeconds * 1000;
  const patience = Date.now() + (boundSeconds * 1000) / 4;
  for (const target of targets) {
    while (await isSame(target)) {
      if (Date.now() > patience) await endFrozenOwner(left, target);
      if (Date.now() > deadline) throw await stillThere(target, key, boundSeconds);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/**
 * A dead tool that its worker does not reap: the worker is frozen, and would go on writing as soon as it is
 * not. It is ended as well; its supervisor starts another.
 */
async function endFrozenOwner(left: RecordedProcess[], target: Target): Promise<void> {
  const dead = await identityOf(target.pid);
  if (dead?.state !== 'Z') return;
  const owner = left.find((one) => one.owner?.pid === dead.parent)?.owner;
  if (!owner || owner.pid === process.pid || !(await isSame(owner))) return;
  send(owner.pid, 'SIGKILL');
}

async function descendantsOf(roots: Target[]): Promise<Target[]> {
  const all = await everyProcess();
  const found: Target[] = [];
  let parents = new Set(roots.map(({ pid }) => pid));
  while (parents.size > 0) {
    const children = all.filter(({ parent }) => parents.has(parent));
    found.push(...children);
    for (const { pid } of children) send(pid, 'SIGSTOP');
    parents = new Set(children.map(({ pid }) => pid));
  }
  return found;
}

function send(pid: number, signal: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Identity extends Target {
  parent: number;
  state: string;
}

/** A process as /proc shows it, zombies included; null when there is none. */
async function identityOf(pid: number): Promise<Identity | null> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
  // The second field is the name in parentheses and may hold blanks and parentheses itself.
  const [state = '', parent = '0', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid, state, parent: Number(parent), startTime: rest[17] ?? '' };
}

async function isSame(process: Target): Promise<boolean> {
  return (await identityOf(process.pid))?.startTime === process.startTime;
}

async function everyProcess(): Promise<Identity[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return (await Promise.all(pids.map(identityOf))).filter((identity) => identity !== null);
}

async function currentBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

async function stillThere(target: Target, key: string, boundSeconds: number): Promise<HoldfastError> {
  const state = (await identityOf(target.pid))?.state ?? '?';
  const recorded = `process ${target.pid} of an earlier attempt is still there ${boundSeconds} s after SIGKILL (state ${state})`;
  return new HoldfastError({
    code: 'fenced',
    message: `${key} cannot go on: an earlier attempt of it could not be ended`,
    cause: recorded,
    hint:
      state === 'Z'
        ? 'its parent does not reap it: in a container run an init process (docker run --init, init: true)'
        : 'state D means it waits for a disk or network mount: make that answer, or restart the machine',
    retryable: true,
  });
}
