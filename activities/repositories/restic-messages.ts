// What restic 0.19 prints with --json, one object a line; and the two plain lines of its retries, which it
// prints as they are even then.

import { z } from 'zod';
import { parseBytes } from '../../domain/bytes.ts';
import type { Progress } from '../../domain/job.ts';

const count = z.number().nonnegative().default(0);

const status = z.object({
  message_type: z.literal('status'),
  seconds_elapsed: count,
  seconds_remaining: z.number().optional(),
  total_files: count,
  files_done: count,
  files_restored: count,
  total_bytes: count,
  bytes_done: count,
  bytes_restored: count,
});

const itemError = z.object({
  message_type: z.literal('error'),
  error: z.object({ message: z.string() }),
  during: z.string().default(''),
  item: z.string().default(''),
});

/** `check` says its errors in a flatter form. */
const plainError = z.object({ message_type: z.literal('error'), message: z.string() });
const exitError = z.object({ message_type: z.literal('exit_error'), code: z.number(), message: z.string() });

const backupSummary = z.object({
  message_type: z.literal('summary'),
  snapshot_id: z.string(),
  total_files_processed: count,
  total_bytes_processed: count,
  data_added_packed: count,
});

const restoreSummary = z.object({
  message_type: z.literal('summary'),
  total_files: count,
  files_restored: count,
  total_bytes: count,
  bytes_restored: count,
});

const checkSummary = z.object({
  message_type: z.literal('summary'),
  num_errors: count,
  broken_packs: z.array(z.string()).nullable().default(null),
});

const snapshotList = z.array(
  z.object({
    id: z.string(),
    time: z.string(),
    paths: z.array(z.string()).default([]),
    tags: z.array(z.string()).default([]),
    hostname: z.string().default(''),
    original: z.string().optional(),
    summary: z.object({ total_bytes_processed: z.number().optional() }).optional(),
  }),
);
export type ListedSnapshot = z.infer<typeof snapshotList>[number];

const listedNode = z.object({
  message_type: z.literal('node'),
  path: z.string(),
  type: z.string(),
  size: count,
  mtime: z.string(),
});

/** The object on a line, in the shape asked for; null when the line is something else. */
function reader<T>(schema: z.ZodType<T>): (line: string) => T | null {
  return (line) => {
    if (!line.startsWith('{') && !line.startsWith('[')) return null;
    try {
      return schema.safeParse(JSON.parse(line)).data ?? null;
    } catch {
      return null;
    }
  };
}

export const readItemError = reader(itemError);
export const readBackupSummary = reader(backupSummary);
export const readRestoreSummary = reader(restoreSummary);
export const readCheckSummary = reader(checkSummary);
export const readSnapshotList = reader(snapshotList);
export const readListedNode = reader(listedNode);
const readStatistics = reader(z.object({ total_size: z.number().nonnegative() }));
const readStatus = reader(status);
const readPlainError = reader(plainError);
const readExitError = reader(exitError);

/** What `stats` says all packs take together; null: it says something else. */
export function readTotalSize(output: string): number | null {
  return readStatistics(output.trim())?.total_size ?? null;
}

/** restic's own numbers; the rate is the mean since it began. */
export function readProgress(phase: string, line: string): Progress | null {
  const seen = readStatus(line);
  if (!seen) return null;
  const bytesDone = seen.bytes_done + seen.bytes_restored;
  return {
    phase,
    bytesDone,
    bytesTotal: seen.total_bytes || null,
    filesDone: seen.files_done + seen.files_restored,
    filesTotal: seen.total_files || null,
    bytesPerSecond: seen.seconds_elapsed > 0 ? Math.round(bytesDone / seen.seconds_elapsed) : 0,
    etaSeconds: seen.seconds_remaining ?? null,
  };
}

/** `  copy 37 blobs with disk size 57.225 MiB in 5 packfiles`: what is about to be sent of one snapshot. */
export function readCopySize(line: string): number | null {
  const [, number, unit = ''] = /with disk size ([\d.]+) ([KMGT]?i?B)\b/.exec(line) ?? [];
  return number === undefined ? null : parseBytes(`${number} ${unit}`);
}

/** `copy` has no JSON: `[0:03] 25.00%  2 / 8 packs copied`, counted in packs. */
export function readCopyProgress(line: string): Progress | null {
  const [, done, total] = /(\d+) \/ (\d+) packs copied/.exec(line) ?? [];
  if (done === undefined) return null;
  return {
    phase: 'copying packs',
    bytesDone: 0,
    bytesTotal: null,
    filesDone: Number(done),
    filesTotal: Number(total),
    bytesPerSecond: 0,
    etaSeconds: null,
  };
}

/** The words a line of standard error has for a person: an error's message, or the line itself. */
export function wordsOn(line: string): string {
  const said =
    readExitError(line)?.message ?? readPlainError(line)?.message ?? readItemError(line)?.error.message;
  return (said ?? line).trim();
}

/** Some of its errors bring the calls that led to them. */
const TRACE = /^(?:main|runtime)\.\w+$|^\t\S+\.(?:go|s):\d+$/;

/** restic's last word, where it has one; else its last lines. */
export function lastWord(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !TRACE.test(line));
  const final = lines.map(readExitError).findLast((message) => message !== null)?.message;
  const before = lines.filter((line) => readExitError(line) === null).map(wordsOn);
  // A count of errors is no cause: they were said one by one before it.
  if (final && !/There were \d+ errors/.test(final)) {
    // Why ssh or rclone ended is said by themselves.
    const others = before.filter((line) => /^(?:subprocess \S+|rclone): /.test(line));
    return [...others.slice(-5), final].join('\n').trim();
  }
  return [...before.slice(-5), ...(final ? [final] : [])].join('\n').trim();
}

/** A request to the backend that failed and is tried again, or did so and has now succeeded. */
export function readRetry(line: string): { request: string; failing: boolean } | null {
  const words = wordsOn(line);
  const failing = /^(.+?) returned error, retrying after /.exec(words);
  if (failing?.[1]) return { request: failing[1], failing: true };
  const over = /^(.+?) (?:operation successful after \d+ retries|failed: )/.exec(words);
  return over?.[1] ? { request: over[1], failing: false } : null;
}
