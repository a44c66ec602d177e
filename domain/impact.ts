// What a restore would change, computed from facts about both sides.
import type { FileChanges, Impact, TableChange } from './restore.ts';

const SHOWN_EXAMPLES = 10;

/** Enough of an entry to tell whether a restore changes it. Times in nanoseconds since 1970. */
export interface ComparedEntry {
  type: string;
  mode: number;
  size: number;
  mtime: string;
  /** Target of a symlink, number of a device; empty otherwise. */
  points: string;
}

export type Difference = 'added' | 'removed' | 'changed' | 'same' | 'perhaps';

/**
 * What becomes of an entry. `perhaps`: only the content can tell (equal sizes, different times). Folders
 * count only where their mode changes: what is in them is counted for itself.
 */
export function differenceOf(before: ComparedEntry | null, after: ComparedEntry | null): Difference {
  if (!before) return !after || after.type === 'dir' ? 'same' : 'added';
  if (!after) return before.type === 'dir' ? 'same' : 'removed';
  if (before.type !== after.type) return 'changed';
  if (before.mode !== after.mode && before.type !== 'symlink') return 'changed';
  if (before.size !== after.size || before.points !== after.points) return 'changed';
  return before.type === 'file' && before.mtime !== after.mtime ? 'perhaps' : 'same';
}

export function noFileChanges(): NonNullable<Impact['files']> {
  const none = (): FileChanges => ({ count: 0, bytes: 0, examples: [] });
  return { added: none(), changed: none(), removed: none() };
}

export function addFileChange(changes: FileChanges, path: string, bytes: number): void {
  changes.count += 1;
  changes.bytes += bytes;
  if (changes.examples.length < SHOWN_EXAMPLES) changes.examples.push(path);
}

/** Every table of either side, in the order of their names. `null` for a side that could not be counted. */
export function tableChanges(
  before: Readonly<Record<string, number>> | null,
  after: Readonly<Record<string, number>> | null,
): TableChange[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const count = (side: Readonly<Record<string, number>> | null, table: string) =>
    side && Object.hasOwn(side, table) ? (side[table] ?? null) : null;
  return [...names]
    .sort((a, b) => (a < b ? -1 : 1))
    .map((table) => ({ table, before: count(before, table), after: count(after, table) }));
}

/** A command as a person would type it. */
export function asTyped(command: readonly string[]): string {
  return command
    .map((word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
