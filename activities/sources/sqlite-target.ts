import { basename, dirname } from 'node:path';
import type { SqliteAsset } from '../../domain/configuration/types.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { holdersOf, namesOf } from '../hosts/file-holders.ts';
import { lookAt, nearestExisting, targetError, tryWriting } from '../hosts/filesystem.ts';
import { stopIfCancelled } from '../verify/cancellation.ts';
import type { Step } from '../step.ts';
import { absoluteTarget, checkRoom, refuseReserved } from './directory-target.ts';
import type { RestoreTarget } from './source.ts';
import { COMPANIONS, filesOf } from './sqlite-files.ts';

export async function resolveSqliteTarget(
  asset: SqliteAsset,
  to: string | null,
  options: { reserved?: readonly string[] },
): Promise<RestoreTarget> {
  const location = absoluteTarget(to ?? asset.path);
  await refuseReserved(location, options.reserved ?? []);
  const own = absoluteTarget(asset.path);
  const inPlace = location === own;
  if (COMPANIONS.some((suffix) => location === own + suffix)) {
    throw refusal('usage', location, `it is a file that belongs to ${own}`, 'choose another name with --to');
  }
  return { description: inPlace ? `${location} (in place)` : location, inPlace, location };
}

export async function checkSqliteTarget(
  asset: SqliteAsset,
  target: RestoreTarget,
  bytes: number,
  step: Step,
): Promise<void> {
  stopIfCancelled(step);
  const stats = await lookAt(target.location);
  if (stats && !stats.isFile()) {
    const what = stats.isSymbolicLink() ? 'a symlink' : 'a folder or device';
    throw refusal(
      'target.notEmpty',
      target.location,
      `${what} is in its place`,
      'move it away, or choose another path with --to',
    );
  }
  if (!target.inPlace) await expectAbsent(target.location);
  const folder = await nearestExisting(dirname(target.location));
  const failure = await tryWriting(folder);
  if (failure) throw targetError(failure, `restoring ${asset.name}`, folder);
  await checkRoom(target.location, bytes, `restoring ${asset.name}`);
  // With commands that stop the application, it is expected to run until the commit.
  if (asset.restore.stop.length === 0) await refuseWhileHeld(target.location);
}

/** Replaced under a program that has it open, the program would go on writing into the file set aside. */
export async function refuseWhileHeld(path: string): Promise<void> {
  const holders = await holdersOf(filesOf(path));
  if (holders.length === 0) return;
  throw refusal(
    'target.inUse',
    path,
    `open in ${namesOf(holders)}`,
    'stop it, or name the command that does under `restore.stop` of the asset',
  );
}

async function expectAbsent(location: string): Promise<void> {
  for (const file of filesOf(location)) {
    if (!(await lookAt(file))) continue;
    throw refusal(
      'target.notEmpty',
      location,
      `there is ${basename(file)}`,
      'choose a path with nothing at it with --to',
    );
  }
}

function refusal(
  code: 'usage' | 'target.notEmpty' | 'target.inUse',
  location: string,
  cause: string,
  hint: string,
): HoldfastError {
  return new HoldfastError({ code, message: `${location} cannot be restored to`, cause, hint });
}
