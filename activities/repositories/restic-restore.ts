// Restoring from a snapshot into an empty folder.

import { lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import type { RestoreRequest } from './repository.ts';
import { literalPattern, literalPatternLine, restoreArguments } from './restic-arguments.ts';
import type { ResticConnection } from './restic-connection.ts';
import { readProgress, readRestoreSummary } from './restic-messages.ts';
import { runRestic } from './restic-run.ts';

/**
 * Restores what `request` names, and only that: paths to include are literal and cannot lead out of the
 * target. One that is not in the snapshot is an error, not an empty restore.
 */
export async function restoreSnapshot(
  connection: ResticConnection,
  request: RestoreRequest,
  step: Step,
): Promise<{ files: number; bytes: number }> {
  await requireEmpty(request.target);
  const include = request.include.map(confined);
  const scratch = await mkdtemp(join(tmpdir(), 'holdfast-restore-'));
  try {
    const lines = include.map(literalPatternLine).filter((line) => line !== null);
    const includeFile = lines.length > 0 ? join(scratch, 'include') : null;
    if (includeFile) await writeFile(includeFile, lines.join('\n') + '\n', { mode: 0o600 });
    const includes = include.filter((path) => literalPatternLine(path) === null).map(literalPattern);
    const restored = await restore(connection, request, { includeFile, includes }, step);
    await requireEach(include, request);
    return restored;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function restore(
  connection: ResticConnection,
  request: RestoreRequest,
  patterns: { includeFile: string | null; includes: string[] },
  step: Step,
): Promise<{ files: number; bytes: number }> {
  const summaries: NonNullable<ReturnType<typeof readRestoreSummary>>[] = [];
  const run = (locked: boolean) =>
    runRestic(
      connection,
      {
        operation: `restore of ${request.snapshotId.slice(0, 8)} from ${connection.name}`,
        args: restoreArguments(request, {
          ...patterns,
          verify: connection.verifyRestores ?? false,
          locked,
        }),
        writesTo: 'target',
        onStdoutLine: (line) => {
          const progress = readProgress('restoring', line);
          if (progress) {
            step.progress({ ...progress, bytesTotal: progress.bytesTotal ?? request.expectedBytes });
          }
          const summary = readRestoreSummary(line);
          if (summary) summaries.push(summary);
        },
      },
      step,
    );
  try {
    await run(true);
  } catch (error) {
    if (!cannotLock(error)) throw error;
    step.say('warning', `${connection.name} takes no lock, it is full or read-only: restoring without one`);
    await run(false);
  }
  const summary = summaries.at(-1);
  return { files: summary?.files_restored ?? 0, bytes: summary?.bytes_restored ?? 0 };
}

/** Reading must go on when nothing can be written any more. A lock that somebody holds is another matter. */
function cannotLock(error: unknown): boolean {
  return (
    error instanceof HoldfastError &&
    error.code !== 'repository.locked' &&
    error.cause.includes('unable to create lock in backend')
  );
}

async function requireEmpty(target: string): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o700 });
  const [first] = await readdir(target);
  if (first === undefined) return;
  throw new HoldfastError({
    code: 'target.notEmpty',
    message: `nothing was restored: ${target} is not empty`,
    cause: `it has ${JSON.stringify(first)} in it`,
    hint: 'restore into an empty or a new folder',
  });
}

/** As a relative path without `..`; refuses what would lead out of the folder that is restored. */
function confined(path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (!path.startsWith('/') && segments.length > 0 && !segments.includes('..') && !path.includes('\0')) {
    return segments.join('/');
  }
  throw new HoldfastError({
    code: 'usage',
    message: `nothing was restored: ${JSON.stringify(path)} cannot be included`,
    cause: 'it is empty, absolute or leads upwards',
    hint: 'give paths as they are below the asset, for example uploads/2026',
  });
}

async function requireEach(include: string[], request: RestoreRequest): Promise<void> {
  for (const path of include) {
    try {
      await lstat(join(request.target, path));
    } catch (error) {
      throw new HoldfastError({
        code: 'notFound',
        message: `${JSON.stringify(path)} is not in snapshot ${request.snapshotId.slice(0, 8)}`,
        cause: wordsOf(error),
        hint: 'look with `holdfast points ls` how it is written there',
      });
    }
  }
}
