// Who holds on to a folder itself rather than to its name: a mount, a container it is mounted into, a
// process working in it. Renamed away, it would go on showing them the old data.
import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { HoldfastError } from '../../domain/errors.ts';
import { identityOf, lookAt, mounts, type Mount } from '../hosts/filesystem.ts';

export async function isPinned(folder: string): Promise<boolean> {
  const real = await realpath(folder);
  const own = await mounts();
  if (own.some(({ mountPoint }) => mountPoint === real)) return true;
  const stats = await lookAt(real);
  if (!stats) return false;
  const mounted = mountedPathOf(real, own);
  return await someProcess(async (pid) => {
    const cwd = await stat(`/proc/${pid}/cwd`, { bigint: true }).catch(() => null);
    return cwd !== null && identityOf(cwd) === identityOf(stats);
  }).then((found) => found || (mounted !== null && isMountedElsewhere(mounted)));
}

/** For a path that is swapped alone: nothing may be mounted at it or below it. */
export async function refusePathsWithMounts(path: string): Promise<void> {
  const real = await realpath(path).catch(() => path);
  const inTheWay = (await mounts()).find(
    ({ mountPoint }) => mountPoint === real || mountPoint.startsWith(`${real}/`),
  );
  if (!inTheWay) return;
  throw new HoldfastError({
    code: 'target.inUse',
    message: `${path} cannot be replaced: another file system is mounted there`,
    cause: inTheWay.mountPoint,
    hint: 'include what lies inside it instead, or restore beside it with --to',
  });
}

/** Where the folder lies within its own file system, which every mount name space calls the same. */
function mountedPathOf(real: string, own: Mount[]): Pick<Mount, 'device' | 'root'> | null {
  const holding = own
    .filter(({ mountPoint }) => mountPoint === '/' || real.startsWith(`${mountPoint}/`))
    .sort((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
  if (!holding) return null;
  const below = holding.mountPoint === '/' ? real : real.slice(holding.mountPoint.length);
  return { device: holding.device, root: (holding.root === '/' ? '' : holding.root) + below };
}

async function isMountedElsewhere({ device, root }: Pick<Mount, 'device' | 'root'>): Promise<boolean> {
  const seen = new Set<string>();
  return await someProcess(async (pid) => {
    const space = await readlink(`/proc/${pid}/ns/mnt`).catch(() => null);
    if (space === null || seen.has(space)) return false;
    seen.add(space);
    const table = await mounts(pid).catch(() => []);
    return table.some((mount) => mount.device === device && mount.root === root);
  });
}

async function someProcess(test: (pid: string) => Promise<boolean>): Promise<boolean> {
  for (const name of await readdir('/proc')) {
    if (/^\d+$/.test(name) && (await test(name))) return true;
  }
  return false;
}
