import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UNREAD_PART } from '../domain/recovery-point.ts';
import type { PointLabels, Repository, StoredPart } from './repositories/repository.ts';
import type { SnapshotPart } from './sources/source.ts';
import type { Step } from './step.ts';

/**
 * Puts beside a point's data, as one more part of it, what of the source could not be read: so that the repository
 * alone says that the point is partial (law 6). It is known only once the data is stored, and then the snapshot's
 * labels are fixed: `restic tag` writes another snapshot, removes the first and wants the repository to itself,
 * which neither an object lock nor another backup under the shared lease allows. Whoever dies before this is
 * stored has recorded no point: the next attempt stores all of it anew.
 */
export async function storeUnread(
  stored: readonly StoredPart[],
  labels: Omit<PointLabels, 'part' | 'partial'>,
  repository: Repository,
  scratch: string,
  step: Step,
): Promise<StoredPart[]> {
  const partial = unreadWords(stored);
  if (partial === null) return [];
  const file = join(scratch, UNREAD_PART);
  await writeFile(file, `${unreadOf(stored).join('\n')}\n`, { mode: 0o600 });
  const part: SnapshotPart = {
    kind: 'command',
    name: UNREAD_PART,
    command: ['cat', '--', file],
    env: {},
    fileName: `${UNREAD_PART}.txt`,
    expectedBytes: null,
  };
  return [await repository.store(part, { ...labels, part: UNREAD_PART, partial }, step)];
}

/** What a partial point lacks, in words that stay with it; null: nothing. Without a comma: it becomes a label. */
export function unreadWords(stored: readonly StoredPart[]): string | null {
  const count = unreadOf(stored).length;
  return count === 0 ? null : `${count} of its files could not be read`;
}

export function unreadOf(stored: readonly StoredPart[]): string[] {
  return stored.flatMap((part) => part.unreadable);
}
