// The metadata of one folder: read for the manifest, set on a restored one, and put back exactly by an undo.
import { chmod, chown } from 'node:fs/promises';
import type { FolderMetadata } from '../../domain/recovery-point.ts';
import { lookAt, runOrThrow } from '../hosts/filesystem.ts';
import { lastWords, runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';
import { getfattrOptions, parseAttributes } from '../verify/extended-attributes.ts';
import { HoldfastError } from '../../domain/errors.ts';

export async function readFolderMetadata(
  path: string,
  getfattr: string,
  step: Step,
): Promise<FolderMetadata> {
  const stats = await lookAt(path);
  if (!stats) throw new Error(`${path} vanished`);
  return {
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: String(stats.mtimeNs),
    attributes: await readAttributesOf(path, getfattr, step),
  };
}

/** Owner first, for it clears set-id bits; the time last, for everything else moves it. */
export async function setFolderMetadata(path: string, metadata: FolderMetadata, step: Step): Promise<void> {
  const stats = await lookAt(path);
  if (!stats) throw new Error(`${path} vanished`);
  if (Number(stats.uid) !== metadata.uid || Number(stats.gid) !== metadata.gid) {
    await chown(path, metadata.uid, metadata.gid).catch((thrown: unknown) => {
      // Only root may give files away; the rehearsal has said so before anybody committed.
      if (process.getuid?.() === 0) throw thrown;
    });
  }
  for (const [name, value] of Object.entries(metadata.attributes)) {
    const args = ['-h', '-n', name, '-v', value === '' ? '""' : value, '--', path];
    const result = await runCommand({ tool: 'setfattr', file: 'setfattr', args }, step);
    if (result.exitCode !== 0 && process.getuid?.() === 0) {
      step.say('warning', `the attribute ${name} of ${path} could not be set: ${lastWords(result.stderr)}`);
    }
  }
  await chmod(path, metadata.mode);
  await setModifiedAt(path, metadata.mtime, step);
}

/** Node's utimes has no nanoseconds; touch does. */
export async function setModifiedAt(path: string, mtime: string, step: Step): Promise<void> {
  const nanoseconds = BigInt(mtime);
  const seconds = nanoseconds / 1_000_000_000n - (nanoseconds % 1_000_000_000n < 0n ? 1n : 0n);
  const fraction = String(nanoseconds - seconds * 1_000_000_000n).padStart(9, '0');
  const args = ['-h', '-m', '-d', `@${seconds}.${fraction}`, '--', path];
  await runOrThrow('touch', args, `setting the time of ${path}`, step);
}

async function readAttributesOf(path: string, getfattr: string, step: Step): Promise<Record<string, string>> {
  const args = [...getfattrOptions(), '--', path];
  const result = await runCommand({ tool: 'getfattr', file: getfattr, args }, step);
  if (result.exitCode !== 0) {
    throw new HoldfastError({
      code: 'tool.failed',
      message: `reading the extended attributes of ${path} failed`,
      cause: lastWords(result.stderr),
      hint: 'check that the account can read the folder',
    });
  }
  // Names and values are printable here, so the text the runner decoded is exact.
  async function* lines() {
    yield* result.stdout.split('\n');
  }
  for await (const { attributes } of parseAttributes(lines())) return Object.fromEntries(attributes);
  return {};
}
