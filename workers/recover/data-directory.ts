// The data directory of a recovery: its own from the first moment, and until the last one marked as half-way, so
// that a recovery that was killed is begun anew and nobody takes what it left for a service.

import { chmod, cp, mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../../activities/hosts/if-there.ts';
import { clearDeadLock } from '../../activities/hosts/postgres-cluster-lock.ts';
import { bundlePaths } from '../../domain/control-plane/bundle.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { claimDataDirectory } from '../embedded/running.ts';

export interface ClaimedDirectory {
  /** Room for the recovery itself; goes with it. */
  room: string;
  /** It is a service's data directory now. */
  finish(): Promise<void>;
  /** As it was found: empty, or not there. */
  giveUp(): Promise<void>;
}

/** Throws `target.notEmpty` with what is in it. Looks only. */
export async function refuseOccupied(dataDir: string): Promise<void> {
  const names = await namesIn(dataDir);
  if (names === null || names.length === 0 || names.includes(MARK)) return;
  const more = names.length > SHOWN ? `, … (${names.length} in all)` : '';
  throw new HoldfastError({
    code: 'target.notEmpty',
    message: `nothing was recovered: the data directory ${dataDir} is not empty`,
    cause: `it has ${names.slice(0, SHOWN).join(', ')}${more}`,
    hint: 'if a service is there, it needs no recovery; else move that folder away, or give another one with --data-dir',
  });
}

/** Clears first what a recovery left that was killed. */
export async function claimForRecovery(
  dataDir: string,
  say: (message: string) => void,
): Promise<ClaimedDirectory> {
  await refuseOccupied(dataDir);
  const found = await namesIn(dataDir);
  const room = join(dataDir, MARK);
  await mkdir(room, { recursive: true, mode: 0o700 });
  const release = await claimDataDirectory(dataDir);
  const clear = async (kept: readonly string[]) => {
    // The catalogue of one that was killed ends by itself.
    await clearDeadLock(join(dataDir, 'catalog', 'cluster'), STOP_SECONDS);
    // The mark last: whoever is killed here is begun anew, too.
    const names = ((await namesIn(dataDir)) ?? []).filter((name) => name !== MARK && !kept.includes(name));
    for (const name of [...names, MARK]) {
      await rm(join(dataDir, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    }
  };
  if (found?.includes(MARK)) {
    say(`clearing what a recovery left in ${dataDir} that did not come to its end`);
    await clear(['run']);
    await mkdir(room, { mode: 0o700 });
  }
  return {
    room,
    finish: async () => {
      await release();
      await rm(room, { recursive: true, force: true });
    },
    giveUp: async () => {
      await clear([]);
      if (found === null) await rmdir(dataDir);
    },
  };
}

/** For whoever would start a service in it. */
export async function refuseHalfRecovered(dataDir: string): Promise<void> {
  if (!(await namesIn(dataDir))?.includes(MARK)) return;
  throw new HoldfastError({
    code: 'service.failed',
    message: `${dataDir} cannot be run: its recovery did not come to its end`,
    cause: `the folder ${MARK} is in it`,
    hint: 'run the same `holdfast recover` again: it begins anew, and changes nothing in the repository',
  });
}

/** The keys of the audit chain, event histories and evidence, for nobody else's eyes. */
export async function layOut(bundle: string, dataDir: string): Promise<void> {
  for (const name of [bundlePaths.keys, bundlePaths.histories, bundlePaths.evidence]) {
    const from = join(bundle, name);
    const to = join(dataDir, name);
    const there = await ifThere(readdir(from));
    if (there === null) continue;
    // Copied, not moved: they become this account's, whoever's they were.
    await cp(from, to, { recursive: true });
    await keepPrivate(to);
  }
}

const MARK = 'recovering';
const SHOWN = 8;
const STOP_SECONDS = 30;
/** Made with a file system, not by anybody. */
const NOT_CONTENT = ['lost+found'];

async function namesIn(folder: string): Promise<string[] | null> {
  const names = await ifThere(readdir(folder));
  return names && names.filter((name) => !NOT_CONTENT.includes(name)).sort();
}

async function keepPrivate(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await keepPrivate(path);
    else await chmod(path, 0o600);
  }
}
