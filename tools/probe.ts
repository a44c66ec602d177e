// Asks a program its version, once: the answer is remembered in the cache by path, size and time of change, so
// that a command line call starts no processes to learn what it has.
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VersionProbe } from './tool-definition.ts';

// A Java program on a busy machine takes seconds.
const probeTimeoutMs = 20_000;

/** By path. */
type Probes = Record<string, Probe>;

interface Probe {
  size: number;
  modifiedMs: number;
  inode: number;
  version: string;
}

const remembered = new Map<string, Promise<Probes>>();
const saving = new Map<string, Promise<void>>();

/** The version, or the reason there is none. Only answers are remembered, never failures. */
export async function probeVersion(
  path: string,
  probe: VersionProbe,
  cacheDirectory: string,
): Promise<{ version: string } | { reason: string }> {
  const probes = await probesOf(cacheDirectory);
  const { size, mtimeMs, ino } = await stat(path);
  const known = probes[path];
  if (known && known.size === size && known.modifiedMs === mtimeMs && known.inode === ino) return known;

  const answer = await askVersion(path, probe);
  if ('reason' in answer) return answer;
  probes[path] = { size, modifiedMs: mtimeMs, inode: ino, version: answer.version };
  await save(cacheDirectory, probes);
  return answer;
}

/** The same, always asking the program itself. */
export async function askVersion(
  path: string,
  probe: VersionProbe,
): Promise<{ version: string } | { reason: string }> {
  // Loaded only when something has to be asked: it takes longer than all the rest.
  const { execa } = await import('execa');
  const answer = await execa(path, probe.args, { reject: false, stdin: 'ignore', timeout: probeTimeoutMs });
  const version = probe.pattern.exec(`${answer.stdout}\n${answer.stderr}`)?.[1];
  return version === undefined ? { reason: reasonOf(path, probe, answer) } : { version };
}

function reasonOf(
  path: string,
  probe: VersionProbe,
  answer: { stdout: string; stderr: string; timedOut: boolean; originalMessage?: string | undefined },
): string {
  if (answer.timedOut) return `${path} did not tell its version within ${probeTimeoutMs / 1000} s`;
  const words =
    `${answer.stderr}\n${answer.stdout}`.trim().split('\n')[0] || answer.originalMessage || 'nothing';
  return `${path} ${probe.args.join(' ')} told no version: ${words.slice(0, 200)}`;
}

function probesOf(cacheDirectory: string): Promise<Probes> {
  const loaded = remembered.get(cacheDirectory) ?? load(cacheDirectory);
  remembered.set(cacheDirectory, loaded);
  return loaded;
}

async function load(cacheDirectory: string): Promise<Probes> {
  try {
    const known: unknown = JSON.parse(await readFile(fileOf(cacheDirectory), 'utf8'));
    return typeof known === 'object' && known !== null ? (known as Probes) : {};
  } catch {
    return {};
  }
}

/** Two processes that save at once lose some of what they learnt, never the file; a later call asks again. */
async function save(cacheDirectory: string, probes: Probes): Promise<void> {
  const previous = saving.get(cacheDirectory) ?? Promise.resolve();
  const next = previous.then(async () => {
    const file = fileOf(cacheDirectory);
    const partial = `${file}.${randomUUID()}`;
    await mkdir(cacheDirectory, { recursive: true });
    await writeFile(partial, JSON.stringify({ ...(await load(cacheDirectory)), ...probes }, null, 1));
    await rename(partial, file);
  });
  // A cache that can't be written to makes the next call slower and nothing else.
  const settled = next.catch(() => undefined);
  saving.set(cacheDirectory, settled);
  await settled;
}

function fileOf(cacheDirectory: string): string {
  return join(cacheDirectory, 'probes.json');
}
