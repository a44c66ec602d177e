// The arguments of each restic command, as pure functions. Names from outside come after `--`, or inside
// one `--option=value` word; secrets and locations come by the environment, never by an argument.

import type { PointLabels } from './repository.ts';
import type { ResticConnection } from './restic-connection.ts';
import { wayArguments } from './restic-way.ts';

export function backupFolderArguments(
  path: string,
  exclude: readonly string[],
  labels: PointLabels,
  parent?: string | null,
): string[] {
  const comparing = parent === null ? ['--force'] : parent === undefined ? [] : [`--parent=${parent}`];
  return [
    'backup',
    '--json',
    ...labelArguments(labels),
    ...comparing,
    ...exclude.map((pattern) => `--exclude=${pattern}`),
    '--',
    path,
  ];
}

/**
 * The command dies with restic (setpriv), which dies with us, and does not inherit the repository's
 * credentials. Its standard error goes to a descriptor of ours: restic closes its own end as soon as the
 * command ends, and the last words, those that say why, are lost now and then. The line for `sh` is fixed;
 * what comes from outside stays in arguments. restic makes no snapshot when the command fails.
 */
export function backupCommandArguments(
  command: readonly string[],
  fileName: string,
  hidden: readonly string[],
  labels: PointLabels,
): string[] {
  return [
    'backup',
    '--json',
    ...labelArguments(labels),
    '--stdin-from-command',
    `--stdin-filename=${fileName}`,
    '--',
    ...['setpriv', '--pdeathsig', 'KILL', '--'],
    ...['sh', '-c', 'exec "$@" 2>&4 3<&- 4>&-', 'sh'],
    ...['env', ...hidden.map((name) => `--unset=${name}`), '--'],
    ...command,
  ];
}

export function initArguments(likeAnother: boolean): string[] {
  return ['init', '--json', ...(likeAnother ? ['--copy-chunker-params'] : [])];
}

/** Verbose, so that snapshots that are already there are named as well. */
export function copyArguments(snapshotIds: readonly string[]): string[] {
  return ['copy', '--verbose', '--', ...snapshotIds];
}

/** Listing needs no lock: it writes nothing, and works on a full or read-only repository. */
export function snapshotsArguments(filter: { point?: string; asset?: string }): string[] {
  const tags = [
    ...(filter.point === undefined ? [] : [tag('point', filter.point)]),
    ...(filter.asset === undefined ? [] : [tag('asset', filter.asset)]),
  ];
  return ['snapshots', '--json', '--no-lock', ...(tags.length > 0 ? [`--tag=${tags.join(',')}`] : [])];
}

export function listArguments(snapshotId: string, path: string): string[] {
  return ['ls', '--json', '--no-lock', '--', snapshotId, path];
}

/**
 * Unlocked on purpose: check's lock is exclusive and would hold up every backup for as long as the reading
 * takes. A `prune` meanwhile can make it see packs vanish, so a bad result is confirmed with the lock.
 */
export function checkArguments(
  tags: readonly string[] | null,
  locked: boolean,
  cacheFolder: string,
): string[] {
  return [
    'check',
    '--read-data',
    '--json',
    // One option each: words within one option must all be on the same snapshot.
    ...(tags ?? []).map((words) => `--tag=${words}`),
    ...(locked ? [] : ['--no-lock']),
    `--cache-dir=${cacheFolder}`,
  ];
}

/** From the persistent cache where that has it: what is missing in the store is seen by its lists. */
export function arrivedArguments(snapshotIds: readonly string[]): string[] {
  return ['check', '--json', '--no-lock', '--with-cache', '--', ...snapshotIds];
}

/** Without --json, which says nothing of how much was read. Unlocked and confirmed as above. */
export function checkShareArguments(
  group: number,
  groups: number,
  locked: boolean,
  cacheFolder: string,
): string[] {
  return [
    'check',
    `--read-data-subset=${group}/${groups}`,
    ...(locked ? [] : ['--no-lock']),
    `--cache-dir=${cacheFolder}`,
  ];
}

/** Without a lock: it only reads, and must tell whom damage hurts while a backup goes on. */
export function findPacksArguments(packs: readonly string[]): string[] {
  return ['find', '--no-lock', '--pack', '--', ...packs];
}

/** Takes the beginnings of ids too, which is all that check says of a folder. */
export function findTreesArguments(trees: readonly string[]): string[] {
  return ['find', '--no-lock', '--tree', '--', ...trees];
}

export function restoreArguments(
  request: { snapshotId: string; path: string; target: string },
  options: { includeFile: string | null; includes: readonly string[]; verify: boolean; locked: boolean },
): string[] {
  return [
    'restore',
    '--json',
    `--target=${request.target}`,
    ...(options.includeFile === null ? [] : [`--include-file=${options.includeFile}`]),
    ...options.includes.map((pattern) => `--include=${pattern}`),
    ...(options.verify ? ['--verify'] : []),
    ...(options.locked ? [] : ['--no-lock']),
    '--',
    `${request.snapshotId}:${request.path}`,
  ];
}

export function forgetArguments(snapshotIds: readonly string[]): string[] {
  return ['forget', '--', ...snapshotIds];
}

/** What the packs take, not what the files in them would. */
export function sizeArguments(): string[] {
  return ['stats', '--mode=raw-data', '--json', '--no-lock'];
}

/** Rewrites packs of which more is unneeded than restic's own default of 5 % allows. */
export function pruneArguments(): string[] {
  return ['prune'];
}

/** Its lock is exclusive: nothing changes under it. */
export function structureArguments(cacheFolder: string): string[] {
  return ['check', '--json', `--cache-dir=${cacheFolder}`];
}

/** For every command: the limits, the bound on a request that hangs, and how long to wait for a lock. */
export function commonArguments(options: {
  /** One, or both of a copy: restic takes one set of options for them. */
  ends: readonly Pick<ResticConnection, 'name' | 'url' | 'ssh' | 'rclone'>[];
  uploadLimitBytesPerSecond?: number | null | undefined;
  stuckSeconds: number;
  retryLockSeconds: number;
}): string[] {
  const { uploadLimitBytesPerSecond: limit } = options;
  return [
    `--stuck-request-timeout=${options.stuckSeconds}s`,
    ...(limit ? [`--limit-upload=${Math.max(1, Math.floor(limit / 1024))}`] : []),
    ...(options.retryLockSeconds > 0 ? [`--retry-lock=${options.retryLockSeconds}s`] : []),
    ...wayArguments(options.ends, options.stuckSeconds),
  ];
}

/** A pattern of restic's that matches this path and what is below it, and nothing else. */
export function literalPattern(path: string): string {
  return `/${path}`.replaceAll(/[\\*?[\]]/g, '\\$&');
}

/**
 * The same as a line of a pattern file, where restic expands `$NAME` and trims blanks; null for a path that
 * cannot stand on a line.
 */
export function literalPatternLine(path: string): string | null {
  if (/[\r\n]/.test(path)) return null;
  const pattern = literalPattern(path).replaceAll('$', '$$$$');
  return pattern.replace(/\s$/u, (blank) => `[${blank}]`);
}

export function tag(label: 'point' | 'asset' | 'kind' | 'part' | 'tag' | 'partial', value: string): string {
  // restic cuts --tag at commas.
  if (value.includes(',')) throw new Error(`a comma cannot stand in the label ${label}=${value}`);
  return `holdfast:${label}=${value}`;
}

function labelArguments(labels: PointLabels): string[] {
  return [
    `--time=${resticTime(labels.takenAt)}`,
    ...(['point', 'asset', 'kind', 'part'] as const).map((label) => `--tag=${tag(label, labels[label])}`),
    ...(labels.tags ?? []).map((word) => `--tag=${tag('tag', word)}`),
    ...(labels.partial === undefined ? [] : [`--tag=${tag('partial', labels.partial)}`]),
  ];
}

/** `--time` is read in the local time zone, which is UTC for every call; fractions are kept. */
function resticTime(takenAt: string): string {
  return new Date(takenAt).toISOString().replace('T', ' ').replace('Z', '');
}
