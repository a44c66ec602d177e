// Copying snapshots from another repository with `restic copy`, and creating one that can take copies.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../hosts/if-there.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { Progress } from '../../domain/job.ts';
import type { Step } from '../step.ts';
import { requireCrypt } from './rclone-crypt.ts';
import { copyArguments, initArguments } from './restic-arguments.ts';
import type { ResticConnection } from './restic-connection.ts';
import { readCopyProgress, readCopySize } from './restic-messages.ts';
import { runRestic } from './restic-run.ts';
import { listSnapshots } from './restic-snapshots.ts';

/**
 * Creates the repository; one that is there already, also made in the same moment by somebody else, is left
 * as it is, and none is made where rclone's crypt is named and not on. `like` gives it the other's chunker parameters, without which copies do not deduplicate.
 */
export async function createRepository(
  connection: ResticConnection,
  like: ResticConnection | null,
  step: Step,
): Promise<'created' | 'existing'> {
  await requireCrypt(connection, step);
  const operation = `creation of repository ${connection.name}`;
  const make = () =>
    runRestic(
      connection,
      {
        operation,
        args: initArguments(like !== null),
        ...(like && { from: like }),
        explain: ({ words }) => (EXISTS.test(words) ? existing() : null),
      },
      step,
    );
  const result = await (like ? whicheverFails(like, operation, step, make) : make()).catch(
    (error: unknown) => {
      if (error instanceof HoldfastError && error.code === 'request.conflict') return null;
      throw error;
    },
  );
  return result ? 'created' : 'existing';
}

const EXISTS = /config(?: file)? already (?:exists|initialized)|already contains keys/;

function existing(): HoldfastError {
  return new HoldfastError({ code: 'request.conflict', message: 'the repository exists', hint: 'use it' });
}

/**
 * Copies, in one call of restic as a rule. Which snapshot became which is in what it prints, also for those
 * that were there already; a short id is made whole from the cache, or by one more call.
 */
export async function copySnapshots(
  connection: ResticConnection,
  source: ResticConnection,
  snapshotIds: readonly string[],
  step: Step,
): Promise<Map<string, string>> {
  const short = new Map<string, string>();
  if (snapshotIds.length > 0) {
    const sent = sentSoFar();
    const operation = `copy from ${source.name} to ${connection.name}`;
    await whicheverFails(source, operation, step, () =>
      runRestic(
        connection,
        {
          operation,
          args: copyArguments(snapshotIds),
          from: source,
          onStdoutLine: (line) => {
            const progress = sent.see(line);
            if (progress) step.progress(progress);
            const pair = copiedOn(line);
            if (pair) short.set(pair.from, pair.to);
          },
        },
        step,
      ),
    );
  }
  const whole = await wholeIds(connection, [...short.values()], step);
  return new Map(snapshotIds.map((id) => [id, copyOf(id, short, whole, connection)]));
}

/** restic does not say which of the two it could not open: where it is the source, that one's own failure is thrown. */
async function whicheverFails<T>(
  source: ResticConnection,
  operation: string,
  step: Step,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const unopened = ['repository.absent', 'repository.wrongPassword'];
    if (error instanceof HoldfastError && unopened.includes(error.code))
      await runRestic(source, { operation, args: ['cat', 'config', '--no-lock'] }, step);
    throw error;
  }
}

/** Its progress counts the packs of one snapshot, and what they take is said before them. */
function sentSoFar() {
  let before = 0;
  let current = 0;
  return {
    see(line: string): Progress | null {
      const size = readCopySize(line);
      if (size !== null) {
        before += current;
        current = size;
      }
      const progress = readCopyProgress(line);
      if (!progress) return null;
      const share = progress.filesTotal ? progress.filesDone / progress.filesTotal : 1;
      return { ...progress, bytesDone: before + Math.round(current * share) };
    },
  };
}

/** `snapshot a saved, copied from source snapshot b`, or `skipping source snapshot b, was already copied to a`. */
function copiedOn(line: string): { from: string; to: string } | null {
  const saved = /snapshot ([0-9a-f]{8,64}) saved, copied from source snapshot ([0-9a-f]{8,64})/.exec(line);
  if (saved?.[1] && saved[2]) return { from: saved[2], to: saved[1] };
  const kept =
    /skipping source snapshot ([0-9a-f]{8,64}), was already copied to snapshot ([0-9a-f]{8,64})/.exec(line);
  return kept?.[1] && kept[2] ? { from: kept[1], to: kept[2] } : null;
}

function copyOf(
  id: string,
  short: Map<string, string>,
  whole: string[],
  connection: ResticConnection,
): string {
  const to = [...short].find(([from]) => id.startsWith(from))?.[1];
  const found = to === undefined ? [] : whole.filter((candidate) => candidate.startsWith(to));
  if (found.length === 1 && found[0] !== undefined) return found[0];
  throw new HoldfastError({
    code: 'tool.failed',
    message: `copy of snapshot ${id.slice(0, 8)} to ${connection.name} cannot be shown to have arrived`,
    cause: to === undefined ? 'restic did not name it' : `${found.length} snapshots there begin with ${to}`,
    hint: 'the copy is tried again; what has arrived is not sent again',
  });
}

/** restic keeps every snapshot it saved in its cache, under its whole name: that saves a call of 0.5 s. */
async function wholeIds(connection: ResticConnection, short: string[], step: Step): Promise<string[]> {
  const cached = await cachedSnapshots(connection.cacheFolder, short);
  const unique = (id: string) => cached.filter((name) => name.startsWith(id)).length === 1;
  if (short.every(unique)) return cached;
  return (await listSnapshots(connection, {}, step)).map(({ id }) => id);
}

async function cachedSnapshots(cacheFolder: string, short: string[]): Promise<string[]> {
  const prefixes = [...new Set(short.map((id) => id.slice(0, 2)))];
  const found: string[] = [];
  for (const repository of await names(cacheFolder)) {
    for (const prefix of prefixes) {
      found.push(...(await names(join(cacheFolder, repository, 'snapshots', prefix))));
    }
  }
  return [...new Set(found)];
}

async function names(folder: string): Promise<string[]> {
  return (await ifThere(readdir(folder))) ?? [];
}
