import { constants } from 'node:fs';
import { access, lstat, mkdir, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { DirectoryAsset } from '../../domain/configuration/types.ts';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import { formatBytes } from '../../domain/bytes.ts';
import { excludePatterns, invalidExcludePatterns } from '../../domain/exclude-pattern.ts';
import { resolveTool } from '../../tools/resolve.ts';
import { lookAt } from '../hosts/filesystem.ts';
import { stopIfCancelled } from '../verify/cancellation.ts';
import type { Step } from '../step.ts';
import { writeManifest } from '../verify/directory-digest.ts';
import type { Examples } from '../verify/examples.ts';
import { walk } from '../verify/directory-walk.ts';
import { latestManifest } from '../verify/manifest-file.ts';
import { settleCapture } from './directory-stored.ts';
import type { Capture, CaptureOptions, RestoreTarget, Workspace } from './source.ts';

/** There, a folder, readable, with patterns restic takes. What lies deeper is met when it is read. */
export async function preflightDirectory(asset: DirectoryAsset, step: Step): Promise<void> {
  stopIfCancelled(step);
  const invalid = invalidExcludePatterns(asset.exclude);
  if (invalid.length > 0) {
    throw new HoldfastError({
      code: 'configuration.invalid',
      message: `asset ${asset.name} has exclude patterns that cannot be read`,
      cause: invalid.join(', '),
      hint: 'close every [ and end no pattern with a single backslash',
    });
  }
  const stats = await lstat(asset.path).catch((thrown: unknown) => {
    throw cannotRead(asset, thrown);
  });
  if (stats.isSymbolicLink()) throw await isLink(asset);
  if (!stats.isDirectory()) {
    throw new HoldfastError({
      code: 'source.invalid',
      message: `directory asset ${asset.name} is not a folder: ${asset.path}`,
      cause: `it is a ${stats.isFile() ? 'file' : 'device, socket or pipe'}`,
      hint: 'name the folder that holds it, or exclude what is beside it',
    });
  }
  try {
    await access(asset.path, constants.R_OK | constants.X_OK);
    await readdir(asset.path);
  } catch (thrown) {
    throw cannotRead(asset, thrown);
  }
}

export async function captureDirectory(
  asset: DirectoryAsset,
  workspace: Workspace,
  step: Step,
  wanted: CaptureOptions,
  options: { getfattr?: string },
): Promise<Capture> {
  await preflightDirectory(asset, step);
  const parts: Capture['parts'] = [
    { kind: 'folder', name: 'files', path: asset.path, exclude: asset.exclude },
  ];
  const close = async () => undefined;
  const excluded = excludePatterns(asset.exclude);
  if (!wanted.manifest) {
    await expectAtLeast(asset, await countUpToExpected(asset, step));
    const settle = async () => ({ manifest: null, notes: [] });
    return { method: 'files', parts, settle, close };
  }

  await mkdir(workspace.staging, { recursive: true, mode: 0o700 });
  const getfattr = options.getfattr ?? (await resolveTool('getfattr')).path;
  const file = join(workspace.scratch, 'before.manifest');
  const before = await writeManifest(
    {
      root: asset.path,
      excluded,
      previous: await latestManifest(workspace.staging),
      output: file,
      scratch: workspace.scratch,
      getfattr,
    },
    step,
  );
  await expectAtLeast(asset, before);
  const settle: Capture['settle'] = (stored, repository) =>
    settleCapture({ asset, excluded, before, file, stored, repository, workspace, getfattr }, step);
  return { method: 'files', parts, settle, close };
}

/** Everything that is at the target, excluded or not: what a swap sets aside is removed in the end. */
export async function captureDirectoryForSafety(target: RestoreTarget, step: Step): Promise<Capture | null> {
  const stats = await lookAt(target.location);
  if (!stats?.isDirectory() || (await readdir(target.location)).length === 0) return null;
  const unreadable: Examples = { count: 0, examples: [] };
  const onUnreadable = () => void (unreadable.count += 1);
  for await (const found of walk(target.location, { onUnreadable }, step)) {
    if (found.type === 'file' && !(await canRead(found.stats))) unreadable.count += 1;
  }
  const notes = unreadable.count > 0 ? [`${unreadable.count} entries at the target could not be read`] : [];
  return {
    method: unreadable.count > 0 ? 'raw-files' : 'files',
    parts: [{ kind: 'folder', name: 'files', path: target.location, exclude: [] }],
    settle: async () => ({ manifest: null, notes }),
    close: async () => undefined,
  };
}

/** By its bits alone, which is all a first guess needs: restic will say what it really could not read. */
async function canRead(stats: { mode: bigint; uid: bigint }): Promise<boolean> {
  if (process.geteuid?.() === 0) return true;
  const bits = BigInt(process.geteuid?.() ?? -1) === stats.uid ? 0o400n : 0o044n;
  return (stats.mode & bits) !== 0n;
}

/** Fault 30: an unmounted mount point looks like an empty folder, and must not become the newest point. */
async function expectAtLeast(asset: DirectoryAsset, found: { files: number; bytes: number }): Promise<void> {
  const { minFiles, minBytes } = asset.expect;
  if (found.files >= minFiles && found.bytes >= minBytes) return;
  const files = (count: number) => `${count} ${count === 1 ? 'file' : 'files'}`;
  throw new HoldfastError({
    code: 'source.empty',
    message: `directory asset ${asset.name} has less in it than it must: ${asset.path}`,
    cause: `found ${files(found.files)} of ${formatBytes(found.bytes)}, expected at least ${files(minFiles)} of ${formatBytes(minBytes)}${asset.exclude.length > 0 ? ', after exclusion' : ''}`,
    hint: 'mount what belongs there, or lower `expect` if it may be that small; the last recovery point stays',
  });
}

/** Looks no further than it takes to know that there is enough. */
async function countUpToExpected(
  asset: DirectoryAsset,
  step: Step,
): Promise<{ files: number; bytes: number }> {
  const count = { files: 0, bytes: 0 };
  const { minFiles, minBytes } = asset.expect;
  if (minFiles === 0 && minBytes === 0) return count;
  for await (const found of walk(asset.path, { excluded: excludePatterns(asset.exclude) }, step)) {
    if (found.type !== 'file') continue;
    count.files += 1;
    count.bytes += Number(found.stats.size);
    if (count.files >= minFiles && count.bytes >= minBytes) break;
  }
  return count;
}

/** restic would store the link itself, and a swap would replace it. */
async function isLink(asset: DirectoryAsset): Promise<HoldfastError> {
  const real = await realpath(asset.path).catch(() => null);
  return new HoldfastError({
    code: real === null ? 'source.missing' : 'source.invalid',
    message: `directory asset ${asset.name} is a symlink: ${asset.path}`,
    cause: real === null ? 'it leads nowhere' : `it leads to ${real}`,
    hint: real === null ? 'create what it leads to, or correct the path' : `write path: ${real}`,
  });
}

function cannotRead(asset: DirectoryAsset, thrown: unknown): HoldfastError {
  const code = (thrown as NodeJS.ErrnoException).code;
  const missing = code === 'ENOENT' || code === 'ENOTDIR';
  return new HoldfastError({
    code: missing ? 'source.missing' : 'source.unreadable',
    message: `directory asset ${asset.name} cannot be read: ${asset.path}`,
    cause: wordsOf(thrown),
    hint: missing
      ? 'correct `path`, or mount what belongs there'
      : 'give the account Holdfast runs as read access to the folder',
  });
}
