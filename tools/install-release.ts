// A project's own release archive: its SHA-256 is pinned in the manifest or published beside it, and an archive
// without one, or with another, is refused.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import type { InstallRequest } from './install.ts';
import type { ReleaseArchive } from './tool-definition.ts';
import { currentPlatform } from './tool-definition.ts';

// Short, because the next way is better than waiting for a network that is not there.
const firstByteMs = 5_000;
const stalledMs = 20_000;

// A host that did not answer is not asked again for the next tool.
const unreachable = new Map<string, string>();

export async function downloadRelease({ name, definition, directory }: InstallRequest): Promise<void> {
  const release = definition.release!;
  const archiveName = release.archive(supportedPlatform());
  const expected = await expectedDigest(release, archiveName);
  const archive = join(directory, archiveName);
  await download(release.baseUrl + archiveName, archive);
  await refuseUnless(expected, archive, archiveName);
  await unpack(archive, join(directory, name), name);
  await rm(archive, { force: true });
}

function supportedPlatform() {
  const platform = currentPlatform();
  if (['linux', 'darwin'].includes(platform.os) && ['amd64', 'arm64'].includes(platform.arch))
    return platform;
  throw new Error(`there is none for ${platform.os} on ${platform.arch}`);
}

async function expectedDigest(release: ReleaseArchive, archiveName: string): Promise<string> {
  const pinned = release.sha256?.[archiveName];
  if (pinned !== undefined) return pinned;
  const published = await fetchText(release.baseUrl + release.checksums);
  const digest = digestIn(published, archiveName);
  if (digest !== undefined) return digest;
  throw new Error(`refused: ${release.baseUrl}${release.checksums} has no SHA-256 of ${archiveName}`);
}

/** Reads `sha256sum` lines: digest, a space, a space or `*`, the file's name. */
export function digestIn(checksums: string, fileName: string): string | undefined {
  for (const line of checksums.split('\n')) {
    const [, digest, listed] = /^([0-9a-fA-F]{64}) [ *](.+?)\s*$/.exec(line) ?? [];
    if (listed === fileName) return digest!.toLowerCase();
  }
  return undefined;
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function refuseUnless(expected: string, archive: string, archiveName: string): Promise<void> {
  const actual = await sha256Of(archive);
  if (actual === expected.toLowerCase()) return;
  throw new Error(`refused: the SHA-256 of ${archiveName} is ${actual} where ${expected} was published`);
}

async function fetchText(url: string): Promise<string> {
  const { response, alive } = await open(url);
  const chunks: Uint8Array[] = [];
  for await (const chunk of alive(response)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function download(url: string, path: string): Promise<void> {
  const { response, alive } = await open(url);
  await pipeline(Readable.from(alive(response)), createWriteStream(path));
}

async function open(url: string) {
  const { origin, host } = new URL(url);
  const known = unreachable.get(origin);
  if (known !== undefined) throw new Error(known);

  const controller = new AbortController();
  const giveUp = setTimeout(() => controller.abort(), firstByteMs);
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok) throw new Refusal(`${url} answered ${response.status} ${response.statusText}`.trim());
    return { response, alive: (answer: Response) => chunksOf(answer, controller, url) };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const why = controller.signal.aborted ? `no answer within ${firstByteMs / 1000} s` : networkReason(error);
    const reason = `${host} can't be reached: ${why}`;
    unreachable.set(origin, reason);
    throw new Error(reason, { cause: error });
  } finally {
    clearTimeout(giveUp);
  }
}

class Refusal extends Error {}

async function* chunksOf(
  response: Response,
  controller: AbortController,
  url: string,
): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const stalled = setTimeout(
    () => controller.abort(new Error(`${url} sent nothing for ${stalledMs / 1000} s`)),
    stalledMs,
  );
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      stalled.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(stalled);
  }
}

/** fetch says only "fetch failed"; the reason is in its cause, or in the causes of that. */
function networkReason(error: unknown): string {
  const cause = (error as Error).cause as (Error & { errors?: Error[]; code?: string }) | undefined;
  return cause?.errors?.[0]?.message || cause?.message || cause?.code || (error as Error).message;
}

async function unpack(archive: string, program: string, name: string): Promise<void> {
  if (archive.endsWith('.bz2')) {
    await run('bzip2', ['--decompress', '--stdout', '--', archive], program);
  } else {
    const folder = `${archive}.unpacked`;
    await mkdir(folder);
    await run('tar', ['-xzf', archive, '-C', folder]);
    await rename(await findProgram(folder, name), program);
    await rm(folder, { recursive: true });
  }
  await chmod(program, 0o755);
}

async function run(command: string, args: string[], outputFile?: string): Promise<void> {
  const stdout = outputFile === undefined ? 'ignore' : { file: outputFile };
  const { failed, code, stderr } = await execa(command, args, { stdout, reject: false });
  if (code === 'ENOENT') throw new Error(`${command} is needed to unpack it and is not installed`);
  if (failed) throw new Error(`${command} can't unpack it: ${stderr}`);
}

async function findProgram(folder: string, name: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const program = entries.find((entry) => entry.isFile() && entry.name === name);
  if (program) return join(program.parentPath, name);
  throw new Error(`the archive holds no file called ${name}`);
}
