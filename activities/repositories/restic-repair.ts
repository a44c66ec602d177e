// Bringing a repository back to where a backup can go on: after a writer died, and after data was damaged.

import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../hosts/if-there.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { PACK_BYTES } from '../../domain/guards/sent.ts';
import type { Step } from '../step.ts';
import type { Recovered } from './repository.ts';
import type { ResticConnection } from './restic-connection.ts';
import { findDamagedPacks } from './restic-read-back.ts';
import { runRestic } from './restic-run.ts';

/** Long enough for a list or a restore to finish; a live backup is not waited for. */
const OTHERS_SECONDS = 10;

/**
 * After a writer of ours died. In this order: its lock goes (only if its process is dead), then its half-written
 * files, which may be what fills the disk, then what it had uploaded is indexed, so that the next store need not
 * send it again. With another client alive the last two are skipped: they cost space and time, never data.
 */
export async function recoverRepository(connection: ResticConnection, step: Step): Promise<Recovered> {
  const operation = `recovery of repository ${connection.name}`;
  const unlocked = await runRestic(connection, { operation, args: ['unlock'] }, step);
  const removed = /removed (\d+) locks/.exec(unlocked.stdout)?.[1];
  if (removed) step.say('info', `${connection.name}: removed ${removed} lock of a dead process`);
  await removeHalfWritten(connection, step);
  const found: string[] = [];
  try {
    // The new index is stored before the old one goes: append-only, it stays, and does no harm.
    await runRestic(
      connection,
      {
        operation,
        args: ['repair', 'index'],
        onStderrLine: (line) => {
          const pack = /adding pack file to index ([0-9a-f]{64})/.exec(line)?.[1];
          if (pack !== undefined) found.push(pack);
        },
        lockWaitSeconds: Math.min(OTHERS_SECONDS, connection.lockWaitSeconds),
      },
      step,
    );
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    if (error.code === 'repository.locked') {
      step.say(
        'warning',
        `${connection.name} is in use (${error.hint}); what the dead attempt had uploaded may be sent again`,
      );
    } else if (error.code !== 'repository.appendOnly') throw error;
  }
  return { packs: found.length, bytes: await bytesOf(connection, found) };
}

/** To the byte on a disk of ours; elsewhere as many packs of the size restic aims at. */
async function bytesOf({ localPath }: ResticConnection, packs: readonly string[]): Promise<number> {
  if (localPath === null) return packs.length * PACK_BYTES;
  const files = packs.map((pack) => ifThere(stat(join(localPath, 'data', pack.slice(0, 2), pack))));
  return (await Promise.all(files)).reduce((sum, file) => sum + (file?.size ?? 0), 0);
}

/**
 * Indexes what is there and forgets what is not, then salvages the intact blobs of damaged packs and drops
 * the rest, so that the next store finds them missing and sends them anew. No snapshot is touched.
 */
export async function repairRepository(
  connection: ResticConnection,
  damagedPacks: readonly string[] | undefined,
  step: Step,
): Promise<void> {
  const operation = `repair of repository ${connection.name}`;
  const damaged = damagedPacks ?? (await findDamagedPacks(connection, step));
  await runRestic(connection, { operation, args: ['repair', 'index'] }, step);
  // `repair packs` stops at the first pack that is not there: those are dealt with by the index.
  const there = await packsThere(connection, operation, step);
  const broken = damaged.filter((pack) => there.has(pack));
  if (broken.length === 0) return;
  // It saves a copy of each damaged pack to its current folder, and fails if one is there already.
  await mkdir(connection.cacheFolder, { recursive: true, mode: 0o700 });
  const cwd = await mkdtemp(join(connection.cacheFolder, 'salvage-'));
  try {
    await runRestic(connection, { operation, args: ['repair', 'packs', '--', ...broken], cwd }, step);
    step.say('info', `${connection.name}: salvaged what was intact in ${broken.length} damaged packs`);
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

async function packsThere(connection: ResticConnection, operation: string, step: Step): Promise<Set<string>> {
  const packs = new Set<string>();
  await runRestic(
    connection,
    {
      operation,
      args: ['list', 'packs', '--no-lock'],
      onStdoutLine: (line) => /^[0-9a-f]{64}$/.test(line) && packs.add(line),
    },
    step,
  );
  return packs;
}

/**
 * restic never removes the temporary files of a killed writer from a local repository. A writer holds a lock
 * for as long as it writes: files seen before there is no lock have no writer. (Files in `locks` and `keys`
 * are written without a lock and stay.)
 */
async function removeHalfWritten(connection: ResticConnection, step: Step): Promise<void> {
  const folder = connection.localPath;
  if (folder === null) return;
  const found: string[] = [];
  for (const kind of ['data', 'index', 'snapshots']) {
    for (const entry of (await ifThere(readdir(join(folder, kind), { recursive: true }))) ?? []) {
      if (/-tmp-\d+$/.test(entry)) found.push(join(folder, kind, entry));
    }
  }
  if (found.length === 0) return;
  if ((await readdir(join(folder, 'locks'))).length > 0) return;
  for (const path of found) await rm(path, { force: true });
  step.say('info', `${connection.name}: removed ${found.length} half-written files of a dead process`);
}
