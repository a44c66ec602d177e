// Reading back every byte a point refers to, and finding out whom the damage hurts.

import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import type { EngineSnapshot, ReadBack } from './repository.ts';
import { checkArguments, findPacksArguments, tag } from './restic-arguments.ts';
import type { ResticConnection } from './restic-connection.ts';
import { readCheckSummary, wordsOn } from './restic-messages.ts';
import { runRestic } from './restic-run.ts';
import { listSnapshots } from './restic-snapshots.ts';

/**
 * Two calls of restic when all is well: a tag that matches nothing would read nothing and be called ok, so
 * the snapshots are looked up first. Damage is confirmed under the repository's lock if a prune running at
 * the same time could explain it.
 */
export async function readBackPoints(
  connection: ResticConnection,
  points: readonly string[],
  step: Step,
  mostNamed = MOST_POINTS_NAMED,
): Promise<ReadBack> {
  const wanted = new Set(points);
  const [only] = points.length === 1 ? points : [];
  const listed = await listSnapshots(connection, only === undefined ? {} : { point: only }, step);
  const found = listed.filter(({ labels }) => labels !== null && wanted.has(labels.point));
  const there = new Set(found.map(({ labels }) => labels?.point));
  const missing = points.find((point) => !there.has(point));
  if (missing !== undefined || points.length === 0) throw unknownPoint(connection, missing ?? '(none)');
  const tags = points.length > mostNamed ? kindsOf(found) : points.map((point) => tag('point', point));
  const what = points.length === 1 ? `point ${only}` : `${points.length} points`;
  let check = await readData(connection, { what, tags }, { locked: false }, step);
  if (ownErrors(check).some((words) => VANISHED.test(words))) {
    check = await readData(connection, { what, tags }, { locked: true }, step);
  }
  const errors = ownErrors(check);
  if (errors.length === 0) return { ok: true, errors: [], damagedSnapshots: [], damagedPacks: [] };
  const { damagedPacks } = check;
  const hurt =
    damagedPacks.length === 0 ? [] : await snapshotsUsing(connection, findPacksArguments(damagedPacks), step);
  const own = found.map(({ id }) => id);
  // The point's own bytes were read and found wrong: if nobody could be named, all of it counts as hurt.
  const damagedSnapshots = own.some((id) => hurt.includes(id)) ? hurt : [...new Set([...own, ...hurt])];
  return { ok: false, errors, damagedSnapshots, damagedPacks };
}

/** The system bounds how long a command line may be; a point's tag has 51 characters. */
const MOST_POINTS_NAMED = 500;

/** All of the same assets and kinds is read instead: in one reading, as what they share must be read only once. */
function kindsOf(snapshots: readonly EngineSnapshot[]): string[] {
  const kinds = snapshots.flatMap(({ labels }) =>
    labels ? [`${tag('asset', labels.asset)},${tag('kind', labels.kind)}`] : [],
  );
  return [...new Set(kinds)];
}

/** The packs `check --read-data` finds missing or wrong, in the whole repository. */
export async function findDamagedPacks(connection: ResticConnection, step: Step): Promise<string[]> {
  return (await readData(connection, { what: 'all', tags: null }, { locked: false }, step)).damagedPacks;
}

export const VANISHED = /does not exist|no such file|not found|NoSuchKey/i;

/**
 * Packs that are missing or too short are said of the whole repository, whatever the tag. Where the point
 * itself needs such a pack, reading it fails too, and that is said in other words.
 */
export const ABOUT_ANY_POINT = /^pack [0-9a-f]{64}: (?:does not exist|unexpected file size)/;

/** Advice and headings among check's errors. */
export const NO_ERROR =
  /^$|^Fatal: repository contains errors$|^The repository (?:contains damaged|is damaged|index is damaged)|^restic repair |^Damaged pack files can|^Load\(<.*> failed: |^error for tree [0-9a-f]+:$|operation successful after|returned error, retrying/;

function ownErrors({ errors }: Check): string[] {
  return errors.filter((words) => !ABOUT_ANY_POINT.test(words));
}

interface Check {
  errors: string[];
  damagedPacks: string[];
}

async function readData(
  connection: ResticConnection,
  { what, tags }: { what: string; tags: readonly string[] | null },
  { locked }: { locked: boolean },
  step: Step,
): Promise<Check> {
  const cacheFolder = await emptyCacheFolder(connection.cacheFolder);
  try {
    const operation = `reading back ${what} of ${connection.name}`;
    return await runCheck(connection, operation, checkArguments(tags, locked, cacheFolder), step);
  } finally {
    await rm(cacheFolder, { recursive: true, force: true });
  }
}

/** What `check` found: errors in its own words, and the storage files that are missing or wrong. */
export async function runCheck(
  connection: ResticConnection,
  operation: string,
  args: readonly string[],
  step: Step,
): Promise<Check> {
  const said: string[] = [];
  const packs = new Set<string>();
  const result = await runRestic(
    connection,
    {
      operation,
      args,
      onStdoutLine: (line) => readCheckSummary(line)?.broken_packs?.forEach((pack) => packs.add(pack)),
      onStderrLine: (line) => {
        if (line.includes('"exit_error"')) return;
        const words = wordsOn(line);
        const missing = /^pack ([0-9a-f]{64})[: ]/.exec(words)?.[1];
        if (missing) packs.add(missing);
        if (!NO_ERROR.test(words) && said.length < 100) said.push(words);
      },
      // Exit code 1 means "errors found" only when check says so at its end.
      accept: ({ words }) => words.includes('repository contains errors'),
    },
    step,
  );
  if (result.exitCode === 0) return { errors: [], damagedPacks: [] };
  return { errors: said.length > 0 ? said : [result.words], damagedPacks: [...packs] };
}

/**
 * check must read from the repository, not from the persistent cache; one of its own spares it a request
 * per folder. What a killed check left there goes when the next begins.
 */
export async function emptyCacheFolder(cacheFolder: string): Promise<string> {
  const parent = join(cacheFolder, 'checks');
  await mkdir(parent, { recursive: true, mode: 0o700 });
  for (const name of await readdir(parent)) {
    if (!isAlive(Number(name.split('-')[0]))) await rm(join(parent, name), { recursive: true, force: true });
  }
  return mkdtemp(join(parent, `${process.pid}-`));
}

/** A pid in use by another process by now only delays the removal. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Who refers to what `find` is asked for. It names a snapshot where a file or folder lies in one, and on standard
 * error every snapshot with a folder it cannot load; its JSON form would be one line of any length.
 */
export async function snapshotsUsing(
  connection: ResticConnection,
  args: readonly string[],
  step: Step,
): Promise<string[]> {
  const named = new Set<string>();
  const see = (line: string) => {
    const id = /^ \.\.\. (?:in|which belongs to) snapshot ([0-9a-f]{8,64})/.exec(line)?.[1];
    if (id) named.add(id);
  };
  const operation = `search for whom the damage in ${connection.name} hurts`;
  try {
    await runRestic(connection, { operation, args, onStdoutLine: see, onStderrLine: see }, step);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code === 'cancelled') throw error;
    step.say('warning', `${error.message}: ${error.cause}`);
  }
  const all = await listSnapshots(connection, {}, step);
  return all.map(({ id }) => id).filter((id) => [...named].some((prefix) => id.startsWith(prefix)));
}

function unknownPoint(connection: ResticConnection, point: string): HoldfastError {
  return new HoldfastError({
    code: 'point.unknown',
    message: `recovery point ${point} is not in repository ${connection.name}`,
    cause: `no snapshot there has the tag holdfast:point=${point}`,
    hint: 'it was removed there, or never copied to it; `holdfast points show` lists where it is',
  });
}
