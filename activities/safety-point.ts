// What is there now, kept before somebody takes it away: a commit of a restore, or a game day.

import type { Asset } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { Deployment } from './deployment.ts';
import type { Repository, StoredPart } from './repositories/repository.ts';
import type { RestoreTarget, Source } from './sources/source.ts';
import type { Step } from './step.ts';
import { copyOf, lostFolders, sizesOf, storeParts } from './store-parts.ts';
import { withWorkspace } from './workspace.ts';

export interface SafetyOrder {
  /** For messages: `the restore of orders`. */
  before: string;
  asset: Asset;
  source: Source<Asset>;
  target: RestoreTarget;
  policy: string | null;
  repository: Repository;
  /** The id it gets: the same at every attempt. */
  safetyPoint: string;
  /** Of its scratch folder. */
  scratch: string;
}

/** Returns its id, or null where nothing is there to keep. */
export async function storeSafetyPoint(
  deployment: Deployment,
  order: SafetyOrder,
  step: Step,
  interrupted: boolean,
): Promise<string | null> {
  const { asset, source, repository, safetyPoint } = order;
  await refuseDamaged(deployment, order);
  if (interrupted) {
    await repository.recover(step);
    const left = await repository.snapshots({ point: safetyPoint }, step);
    if (left.length > 0)
      await repository.forget(
        left.map((snapshot) => snapshot.id),
        step,
      );
  }
  return withWorkspace(deployment.dataDir, asset.name, order.scratch, async (workspace) => {
    const captured = await source.captureForSafety(asset, order.target, workspace, step);
    if (!captured) return null;
    try {
      const takenAt = deployment.clock().toISOString();
      const labels = { point: safetyPoint, asset: asset.name, kind: 'safety' as const, takenAt };
      const stored = await storeParts(deployment, captured, labels, repository, [], step);
      await refusePartial(order, stored, step);
      const { manifest } = await captured.settle(stored, repository);
      await deployment.catalog.points.record(
        {
          id: safetyPoint,
          asset: asset.name,
          assetType: asset.type,
          policy: order.policy,
          jobId: null,
          kind: 'safety',
          takenAt,
          method: captured.method,
          ...sizesOf(stored),
          copies: [copyOf(repository.name, stored, deployment.clock())],
          manifest,
        },
        null,
      );
      return safetyPoint;
    } finally {
      await captured.close();
    }
  });
}

/** What such a repository has lost it believes to have, and takes none of it again. */
async function refuseDamaged({ catalog }: Deployment, { before, repository }: SafetyOrder): Promise<void> {
  const state = await catalog.repositories.find(repository.name);
  if (!state?.needsRepair) return;
  const found = `damage was found there at ${state.damage?.seenAt ?? 'an unknown time'}, and it was not repaired since`;
  throw new HoldfastError(damagedThere(before, repository.name, found));
}

function damagedThere(before: string, repository: string, cause: string) {
  return {
    code: 'repository.damaged' as const,
    message: `${before} was stopped: a safety point in ${repository} might lack what that repository has lost`,
    cause,
    hint: 'back up the asset first, which repairs it, then start this again',
  };
}

/** What the safety point lacks would be gone for ever once the old data is cleared away. */
async function refusePartial(
  { before, repository }: SafetyOrder,
  stored: readonly StoredPart[],
  step: Step,
): Promise<void> {
  const unreadable = stored
    .flatMap((part) => part.unreadable)
    .filter((words) => !words.endsWith('no such file or directory'));
  if (unreadable.length === 0) return;
  await repository.forget(
    stored.map((part) => part.snapshotId),
    step,
  );
  const [lost] = lostFolders(stored);
  if (lost !== undefined) throw new HoldfastError(damagedThere(before, repository.name, lost));
  throw new HoldfastError({
    code: 'source.partial',
    message: `${before} was stopped: ${unreadable.length} of the files at its target could not be read, so no safety point could hold them`,
    cause: unreadable.slice(0, 10).join('\n'),
    hint: 'grant the account Holdfast runs as read access to them, or restore beside with --to',
  });
}
