import { realpath, readdir } from 'node:fs/promises';
import { dirname, isAbsolute, resolve, sep } from 'node:path';
import type { DirectoryAsset } from '../../domain/configuration/types.ts';
import { formatBytes } from '../../domain/bytes.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { freeBytes, lookAt, mounts, nearestExisting, targetError, tryWriting } from '../hosts/filesystem.ts';
import { stopIfCancelled } from '../verify/cancellation.ts';
import type { Step } from '../step.ts';
import type { RestoreTarget } from './source.ts';

const HEADROOM = 1.02;
/** For folders, journals and what a file system keeps for itself. */
const HEADROOM_BYTES = 16 * 1024 * 1024;

export async function resolveDirectoryTarget(
  asset: DirectoryAsset,
  to: string | null,
  options: { reserved?: readonly string[] },
): Promise<RestoreTarget> {
  const location = absoluteTarget(to ?? asset.path);
  await refuseReserved(location, options.reserved ?? []);
  const inPlace = location === resolve(asset.path);
  if (!inPlace) refuseAround(location, asset);
  return { description: inPlace ? `${location} (in place)` : location, inPlace, location };
}

export async function checkDirectoryTarget(
  asset: DirectoryAsset,
  target: RestoreTarget,
  bytes: number,
  step: Step,
  options: { reserved?: readonly string[] },
): Promise<void> {
  stopIfCancelled(step);
  await refuseReserved(target.location, options.reserved ?? []);
  const stats = await lookAt(target.location);
  if (stats && !stats.isDirectory()) {
    throw refusal(
      'target.notEmpty',
      target,
      `a ${stats.isSymbolicLink() ? 'symlink' : 'file'} is in its place`,
    );
  }
  if (stats && !target.inPlace && (await readdir(target.location)).length > 0) {
    throw refusal('target.notEmpty', target, `the folder is not empty`);
  }
  await refuseMountsBelow(target.location);
  await checkWritable(target, stats !== null);
  await checkRoom(target.location, bytes, `restoring ${asset.name}`);
}

/** A folder that is swapped takes what is mounted in it along, and its removal would reach the mounted data. */
export async function refuseMountsBelow(location: string): Promise<void> {
  const real = await realpath(location).catch(() => location);
  const below = (await mounts()).filter(({ mountPoint }) => mountPoint.startsWith(`${real}/`));
  if (below.length === 0) return;
  throw new HoldfastError({
    code: 'target.inUse',
    message: `${location} cannot be replaced: other file systems are mounted in it`,
    cause: below
      .slice(0, 5)
      .map(({ mountPoint }) => mountPoint)
      .join(', '),
    hint: 'unmount them first, restore beside it with --to, or restore single paths with --include',
  });
}

export function absoluteTarget(path: string): string {
  if (isAbsolute(path) && !path.includes('\0')) return resolve(path);
  throw new HoldfastError({
    code: 'usage',
    message: `the target of a restore must be an absolute path: ${JSON.stringify(path)}`,
    hint: 'write it from the root on, for example --to /srv/restored',
  });
}

export async function checkRoom(location: string, bytes: number, attempted: string): Promise<void> {
  const free = await freeBytes(location);
  const needed = Math.ceil(bytes * HEADROOM) + HEADROOM_BYTES;
  if (free >= needed) return;
  throw new HoldfastError({
    code: 'target.tooSmall',
    message: `${attempted}: ${location} has too little room`,
    cause: `needed ${formatBytes(needed)}, ${formatBytes(free)} free; the old data stays until the restore is done`,
    hint: `free ${formatBytes(needed - free)} there, or restore elsewhere with --to`,
  });
}

/** The data directory and the repositories: a restore into them, or over them, would destroy what it reads. */
export async function refuseReserved(location: string, reserved: readonly string[]): Promise<void> {
  const real = await realpathOfWhatIsThere(location);
  for (const one of reserved) {
    const kept = await realpathOfWhatIsThere(one);
    if (!contains(kept, real) && !contains(real, kept)) continue;
    throw new HoldfastError({
      code: 'usage',
      message: `${location} cannot be the target of a restore`,
      cause: `Holdfast keeps its own data in ${one}`,
      hint: 'choose a folder that neither lies in it nor holds it',
    });
  }
}

async function checkWritable(target: RestoreTarget, exists: boolean): Promise<void> {
  // A mount point can be written although the folder it is in cannot: then its contents are swapped.
  const folder = exists ? target.location : await nearestExisting(dirname(target.location));
  const failure = await tryWriting(folder);
  if (failure) throw targetError(failure, 'checking the target', folder);
}

function refuseAround(location: string, asset: DirectoryAsset): void {
  if (!contains(asset.path, location) && !contains(location, asset.path)) return;
  throw new HoldfastError({
    code: 'usage',
    message: `${location} cannot be the target beside ${asset.name}`,
    cause: `the asset itself is ${asset.path}`,
    hint: 'choose a folder that neither lies in it nor holds it, or leave --to out to restore in place',
  });
}

function refusal(code: 'target.notEmpty', target: RestoreTarget, cause: string): HoldfastError {
  return new HoldfastError({
    code,
    message: `${target.location} is not free to restore into`,
    cause,
    hint: 'choose a folder that is absent or empty, or leave --to out to restore in place',
  });
}

async function realpathOfWhatIsThere(path: string): Promise<string> {
  const existing = await nearestExisting(resolve(path));
  const real = await realpath(existing).catch(() => existing);
  return resolve(real + resolve(path).slice(existing === '/' ? 0 : existing.length));
}

/** `inner` is `outer` or lies in it. */
function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);
}
