// What a step must know of a host's file systems before it writes: where mounts are, how much is free, whether
// a folder really takes files; and writing so that a power cut leaves the old or the new.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readFile, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ifThere } from './if-there.ts';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import { lastWords, runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';

/** What an unprivileged writer can still use where `path` is or, while it is absent, would be. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(await nearestExisting(path));
  return bavail * bsize;
}

/** `path` itself or the closest folder above it that is there. */
export async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    if ((await lookAt(at)) || at === dirname(at)) return at;
  }
}

/** lstat that answers null for what is not there. */
export async function lookAt(path: string | Buffer) {
  return ifThere(lstat(path, { bigint: true }));
}

/** Which file it is, whatever its name: stays the same through a rename. */
export function identityOf(stats: { dev: bigint; ino: bigint }): string {
  return `${stats.dev}:${stats.ino}`;
}

export interface Mount {
  device: string;
  /** The folder within its file system that is mounted. */
  root: string;
  mountPoint: string;
}

/** The mounts a process sees, this one by default. */
export async function mounts(process = 'self'): Promise<Mount[]> {
  const table = await readFile(`/proc/${process}/mountinfo`, 'utf8');
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, , device = '', root = '', mountPoint = ''] = line.split(' ').map(unescapeOctal);
      return { device, root, mountPoint };
    });
}

/**
 * Makes a file in the folder: the only test that no mount option or ACL deceives. One without a name, so that
 * the folder keeps its modification time (law 7); by name, and removed again, where a file system has no such.
 */
export async function tryWriting(folder: string): Promise<NodeJS.ErrnoException | null> {
  try {
    await (await open(folder, NAMELESS | constants.O_WRONLY, 0o600)).close();
    return null;
  } catch (thrown) {
    const { code = '' } = thrown as NodeJS.ErrnoException;
    if (!['ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EINVAL'].includes(code)) return thrown as NodeJS.ErrnoException;
  }
  const probe = join(folder, `.holdfast-probe-${randomBytes(6).toString('hex')}`);
  try {
    await (await open(probe, 'wx', 0o600)).close();
    await rm(probe);
    return null;
  } catch (thrown) {
    return thrown as NodeJS.ErrnoException;
  }
}

/** O_TMPFILE, which Node does not name: the kernel's bit, the same on every architecture Node runs on. */
const NAMELESS = 0o20000000 | constants.O_DIRECTORY;

/** After this returns, renames in the folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file has its old content or the new one, never a part. */
export async function writeDurably(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const partial = join(dirname(file), `.${basename(file)}.partial`);
  const handle = await open(partial, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
  await syncFolder(dirname(file));
}

/** Follows no symlink and leaves other file systems that are mounted below alone. */
export async function removeTree(path: string, step: Step): Promise<void> {
  if (!(await lookAt(path))) return;
  await runOrThrow('rm', ['-rf', '--one-file-system', '--', path], `removing ${path}`, step);
}

/** A coreutils-like tool that either works or has said why not. */
export async function runOrThrow(tool: string, args: string[], attempted: string, step: Step): Promise<void> {
  const result = await runCommand({ tool, file: tool, args }, step);
  if (result.exitCode === 0) return;
  const full = /No space left on device|Disk quota exceeded/.test(result.stderr);
  throw new HoldfastError({
    code: full ? 'target.tooSmall' : 'tool.failed',
    message: `${attempted} failed`,
    cause: lastWords(result.stderr) || `${tool} ended with ${result.exitCode}`,
    hint: full
      ? 'free space there, then start again'
      : 'see what stands in the way in the words above, then start again',
    retryable: false,
  });
}

/** What a failed write means for somebody who chose the place. */
export function targetError(thrown: unknown, attempted: string, path: string): HoldfastError {
  const code = (thrown as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new HoldfastError({
      code: 'target.tooSmall',
      message: `${attempted}: no space is left at ${path}`,
      cause: wordsOf(thrown),
      hint: 'free space there, or restore beside it with --to',
    });
  }
  return new HoldfastError({
    code: 'target.readOnly',
    message: `${attempted}: ${path} cannot be written`,
    cause: wordsOf(thrown),
    hint:
      code === 'EROFS'
        ? 'the file system is mounted read-only: mount it writable, or restore elsewhere with --to'
        : 'give the account Holdfast runs as write access there, or restore elsewhere with --to',
  });
}

function unescapeOctal(word: string): string {
  return word.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
