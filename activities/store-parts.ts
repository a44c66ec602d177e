import { HoldfastError } from '../domain/errors.ts';
import { proofOfCopy } from '../domain/proof.ts';
import type { Deployment } from './deployment.ts';
import type { EngineSnapshot, PointLabels, Repository, StoredPart } from './repositories/repository.ts';
import type { Capture } from './sources/source.ts';
import type { Step } from './step.ts';

/** Stores every part of a capture, creating the repository on its very first use. */
export async function storeParts(
  deployment: Deployment,
  captured: Capture,
  labels: Omit<PointLabels, 'part' | 'partial'>,
  repository: Repository,
  /** null: nothing is compared with, every file is read. */
  parents: EngineSnapshot[] | null,
  step: Step,
): Promise<StoredPart[]> {
  const stored: StoredPart[] = [];
  const anew = parents === null || (await lastIsDoubtful(deployment, labels.asset, repository));
  for (const part of captured.parts) {
    const left = parents?.find((snapshot) => snapshot.labels?.part === part.name)?.id;
    const parent = left ?? (anew ? null : undefined);
    if (parent === null && part.kind === 'folder')
      step.say(
        'info',
        'every file is read anew: the repository lost something of what it would be compared with',
      );
    const store = () => repository.store(part, { ...labels, part: part.name }, step, parent);
    stored.push(await createdWhenAbsent(deployment, repository, undefined, step, store));
  }
  return stored;
}

/** Of what could not be read: what the repository has lost of the snapshot that it compared with. */
export function lostFoldersOf(stored: readonly StoredPart[]): string[] {
  return stored.flatMap(({ lostFolders = [] }) => lostFolders);
}

/**
 * restic would compare with it, and call every folder it cannot read there unreadable at the source. What a repair dropped
 * from the index may have been part of any point from before.
 */
async function lastIsDoubtful(
  { catalog }: Deployment,
  asset: string,
  { name }: Repository,
): Promise<boolean> {
  const { items } = await catalog.points.list({ asset, repository: name, kind: null, limit: 1 });
  const [last] = items;
  const copy = last?.copies.find(({ repository }) => repository === name);
  if (!last || !copy) return false;
  if (proofOfCopy(copy, last) === 'damaged') return true;
  const { repairedAt = null } = (await catalog.repositories.find(name)) ?? {};
  return repairedAt !== null && Date.parse(repairedAt) > Date.parse(last.takenAt);
}

export function copyOf(repository: string, stored: readonly StoredPart[], storedAt: Date) {
  const parts = stored.map(({ part, snapshotId, path }) => ({ name: part, snapshotId, path }));
  return { repository, artifactId: artifactIdOf(parts), parts, storedAt: storedAt.toISOString() };
}

export function sizesOf(stored: readonly StoredPart[]): { bytes: number; addedBytes: number } {
  const sum = (sizes: number[]) => sizes.reduce((total, size) => total + size, 0);
  return {
    bytes: sum(stored.map((part) => part.bytes)),
    addedBytes: sum(stored.map((part) => part.addedBytes)),
  };
}

/**
 * A repository is created on its very first use only. One that was there before and is not any more is a
 * disk that is not mounted or a mistake in the address, never a reason to begin an empty one.
 */
export async function createdWhenAbsent<T>(
  deployment: Deployment,
  repository: Repository,
  like: Repository | undefined,
  step: Step,
  work: () => Promise<T>,
): Promise<T> {
  const { repositories } = deployment.catalog;
  const before = await repositories.find(repository.name);
  try {
    const result = await work();
    if (!before?.initialisedAt)
      await repositories.markInitialised(repository.name, deployment.clock().toISOString());
    return result;
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'repository.absent' || before?.initialisedAt)
      throw error;
    await repository.ensure(step, like);
    step.say('info', `created the repository ${repository.name}`);
    const result = await work();
    await repositories.markInitialised(repository.name, deployment.clock().toISOString());
    return result;
  }
}

export function artifactIdOf(parts: readonly { snapshotId: string }[]): string {
  return parts.map((part) => part.snapshotId).join('+');
}
