// The same work with nothing but restic, called as its manual says.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import type { CountedRestic } from './counted-restic.ts';
import { folderBytes } from './folder-bytes.ts';
import type { Tree } from './tree.ts';

export interface BareSide {
  /** Each returns seconds. */
  first(name: string): Promise<number>;
  unchanged(name: string): Promise<number>;
  restore(name: string): Promise<number>;
  /** What a repository with this tree in it once takes. */
  repositoryBytes(name: string): Promise<number>;
  /** Killed with -9 when half is there, run again as its manual says: what the repository has then. */
  interrupted(name: string, minimum: number): Promise<number>;
}

export function bareSide(folder: string, restic: CountedRestic, tree: Tree): BareSide {
  const run = (name: string, ...args: string[]) =>
    execa(restic.path, args, {
      env: {
        RESTIC_REPOSITORY: join(folder, name),
        RESTIC_PASSWORD: 'bench',
        RESTIC_CACHE_DIR: join(folder, 'cache'),
      },
      cwd: tree.path,
      stdout: 'ignore',
      stdin: 'ignore',
    });
  const backUp = (name: string) => run(name, 'backup', '--', tree.path);

  return {
    first: (name) =>
      timed(async () => {
        await run(name, 'init');
        await backUp(name);
      }),
    unchanged: (name) => timed(() => backUp(name)),
    restore: async (name) => {
      const target = join(folder, `${name}-restored`);
      const seconds = await timed(() => run(name, 'restore', `--target=${target}`, '--', 'latest'));
      await rm(target, { recursive: true });
      return seconds;
    },
    repositoryBytes: (name) => folderBytes(join(folder, name)),
    interrupted: async (name, minimum) => {
      await run(name, 'init');
      const backup = backUp(name);
      while ((await folderBytes(join(folder, name))) < minimum / 2) await pause(10);
      backup.kill('SIGKILL');
      await backup.catch(() => undefined);
      await run(name, 'unlock');
      await backUp(name);
      return folderBytes(join(folder, name));
    },
  };
}

/** Seconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}
