// The paths of a partial restore, and the promise that they stay inside the target (fault 36).
import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ifThere } from '../hosts/if-there.ts';
import { HoldfastError } from '../../domain/errors.ts';

/** Normalised, without those another one covers. Empty means everything. Throws on what leads outside. */
export function includedPaths(include: readonly string[]): string[] {
  const paths = include.map(normalise);
  if (paths.includes('')) return [];
  return [...new Set(paths)].filter((path) => !paths.some((other) => path.startsWith(`${other}/`))).sort();
}

export function isIncluded(path: string, include: readonly string[]): boolean {
  return include.length === 0 || include.some((one) => path === one || path.startsWith(`${one}/`));
}

/**
 * Refuses a path whose way inside `root` leads over anything but real folders: a symlink there would take
 * the restored data out of the target. What is not there yet is fine.
 */
export async function confine(root: string, path: string): Promise<void> {
  const above: string[] = [];
  for (let at = dirname(path); at !== '.'; at = dirname(at)) above.unshift(at);
  for (const folder of above) {
    const stats = await ifThere(lstat(join(root, folder)));
    if (!stats) return;
    if (!stats.isDirectory()) throw leadsOutside(root, path, folder, stats.isSymbolicLink());
  }
}

function normalise(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || parts.includes('..') || path.includes('\0')) {
    throw new HoldfastError({
      code: 'usage',
      message: `the path to include leads out of the asset: ${JSON.stringify(path)}`,
      cause: 'paths are relative to the asset, without ".."',
      hint: 'look for it with `holdfast points ls`, and give it as it is listed there',
    });
  }
  return parts.join('/');
}

function leadsOutside(root: string, path: string, folder: string, link: boolean): HoldfastError {
  return new HoldfastError({
    code: 'restore.state',
    message: `${path} cannot be restored inside ${root}`,
    cause: `${join(root, folder)} is ${link ? 'a symlink' : 'not a folder'} there`,
    hint: 'restore beside it with --to, or move what is in the way',
  });
}
