import { createHash, randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PointLabels } from '../../../activities/repositories/repository.ts';
import { createResticRepository } from '../../../activities/repositories/restic.ts';
import type { ResticOptions } from '../../../activities/repositories/restic-connection.ts';
import type { SnapshotPart } from '../../../activities/sources/source.ts';
import type { Step } from '../../../activities/step.ts';
import { resolveTool } from '../../../tools/resolve.ts';

/** Where a repository of the suite lies. Its files are on this host also when it is reached through S3. */
export interface Place {
  url: string;
  env: Record<string, string>;
  folder: string;
}

export interface RecordedStep extends Step {
  abort(): void;
  said: string[];
  processes: { pid: number; tool: string }[];
  bytesSeen: number[];
}

export function recordedStep(): RecordedStep {
  const controller = new AbortController();
  const recorded: RecordedStep = {
    signal: controller.signal,
    abort: () => controller.abort(new Error('cancelled by the test')),
    said: [],
    processes: [],
    bytesSeen: [],
    progress: ({ bytesDone }) => recorded.bytesSeen.push(bytesDone),
    say: (_level, message) => recorded.said.push(message),
    started: (process) => recorded.processes.push(process),
  };
  return recorded;
}

export const PASSWORD = 'canary-password-7c1f';

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'holdfast-test-'));
}

export async function repositoryAt(place: Place, room: string, options: Partial<ResticOptions> = {}) {
  const password = join(room, 'password');
  await writeFile(password, `${PASSWORD}\n`, { mode: 0o600 });
  return createResticRepository({
    name: 'depot',
    url: place.url,
    password: `file:${password}`,
    env: await references(place.env, room),
    cacheFolder: join(room, 'cache'),
    tool: await resticTool(),
    lockWaitSeconds: 1,
    ...options,
  });
}

async function references(values: Record<string, string>, room: string): Promise<Record<string, string>> {
  const entries = Object.entries(values).map(async ([name, value]) => {
    await writeFile(join(room, name), value, { mode: 0o600 });
    return [name, `file:${join(room, name)}`] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

export async function resticTool(): Promise<{ path: string }> {
  return resolveTool('restic');
}

export function labels(point: string, more: Partial<PointLabels> = {}): PointLabels {
  return {
    point,
    asset: 'orders',
    kind: 'regular',
    part: 'files',
    takenAt: '2026-03-04T05:06:07.089Z',
    ...more,
  };
}

export function folderPart(path: string, exclude: string[] = []): SnapshotPart {
  return { kind: 'folder', name: 'files', path, exclude };
}

export function commandPart(command: string[], fileName = 'dump'): SnapshotPart {
  return { kind: 'command', name: 'dump', command, env: {}, fileName, expectedBytes: null };
}

export async function randomFiles(folder: string, count: number, bytesEach: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let index = 0; index < count; index += 1) {
    await writeFile(join(folder, `file-${index}`), randomBytes(bytesEach));
  }
}

/** Every path, as bytes, with type, mode, link target and content. */
export async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  await digestInto(hash, Buffer.from(folder), Buffer.from(''));
  return hash.digest('hex');
}

async function digestInto(hash: ReturnType<typeof createHash>, folder: Buffer, below: Buffer): Promise<void> {
  const names = (await readdir(folder, { encoding: 'buffer' })).sort((one, other) =>
    Buffer.compare(one, other),
  );
  for (const name of names) {
    const path = Buffer.concat([folder, Buffer.from('/'), name]);
    const relative = Buffer.concat([below, Buffer.from('/'), name]);
    const info = await lstat(path);
    hash.update(relative).update(`\0${info.mode}\0${info.mtimeMs}\0`);
    if (info.isSymbolicLink()) hash.update(await readlink(path, { encoding: 'buffer' }));
    else if (info.isDirectory()) await digestInto(hash, path, relative);
    else if (info.isFile()) hash.update(await readFile(path));
  }
}

export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  seconds = 20,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

export async function locksIn(place: Place): Promise<string[]> {
  return filesBelow(join(place.folder, 'locks'));
}

/** Packs from the largest to the smallest: with random files the large ones are data, the small ones trees. */
export async function packsIn(place: Place): Promise<string[]> {
  const packs = await filesBelow(join(place.folder, 'data'));
  const sized = await Promise.all(packs.map(async (path) => ({ path, size: await sizeOf(path) })));
  return sized.sort((one, other) => other.size - one.size).map(({ path }) => path);
}

/** In whole packs: what a killed writer was writing does not count. */
export async function bytesIn(place: Place): Promise<number> {
  const sizes = await Promise.all(
    (await filesBelow(join(place.folder, 'data')))
      .filter((path) => !/-tmp-|-restic-temp-|rest-server-temp/.test(path))
      .map(sizeOf),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** 0 for what restic has renamed since it was listed. */
async function sizeOf(path: string): Promise<number> {
  return lstat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

export async function flipByte(path: string): Promise<void> {
  const content = await readFile(path);
  const middle = Math.floor(content.length / 2);
  content[middle] = (content[middle] ?? 0) ^ 0xff;
  await chmod(path, 0o600);
  await writeFile(path, content);
}

export async function commandLineOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')).replaceAll('\0', ' ');
}

export async function environmentOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
}

export async function openFilesOf(pid: number): Promise<string[]> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  return Promise.all(descriptors.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
}

export async function childrenOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => ''));
  return (await Promise.all(lists)).flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
