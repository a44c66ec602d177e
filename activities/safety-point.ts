// What is there now, kept before somebody takes it away: a commit of a restore, or a game day.

import type { Asset } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { Deployment } from './deployment.ts';
import { forgetLeft } from './forget-left.ts';
import { markDamage } from './record-damage.ts';
import type { PointLabels, Repository, StoredPart } from './repositories/repository.ts';
import type { Capture, RestoreTarget, Source } from './sources/source.ts';
import type { Step } from './step.ts';
import { copyOf, lostFoldersOf, sizesOf, storeParts } from './store-parts.ts';
import { withWorkspace } from './workspace.ts';

export interface SafetyOrder {
  /** For messages: `the restore of orders`. */
  before: string;
  /** What has a damaged repository repaired, as a hint begins. */
  repair: string;
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
  if (interrupted) {
    await repository.recover(step);
    const left = await repository.snapshots({ point: safetyPoint }, step);
    await forgetLeft(
      repository,
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
      const stored = await storeAll(deployment, order, captured, labels, step);
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

/**
 * What the safety point lacks would be gone for ever once the old data is cleared away. A repository in which damage
 * was found believes to have what it has lost, and takes none of it again: there every byte is read back first.
 */
async function storeAll(
  deployment: Deployment,
  order: SafetyOrder,
  captured: Capture,
  labels: Omit<PointLabels, 'part' | 'partial'>,
  step: Step,
): Promise<StoredPart[]> {
  const { repository } = order;
  let stored = await storeParts(deployment, captured, labels, repository, [], step);
  const forget = () =>
    forgetLeft(
      repository,
      stored.map((part) => part.snapshotId),
      step,
    );
  let doubtful = (await deployment.catalog.repositories.find(repository.name))?.needsRepair ?? false;
  if (lostFoldersOf(stored).length > 0) {
    await forget();
    doubtful = true;
    stored = await storeParts(deployment, captured, labels, repository, null, step);
  }
  const refused = partialOf(order, stored) ?? (doubtful ? await damageOf(deployment, order, step) : null);
  if (refused === null) return stored;
  await forget();
  throw refused;
}

function partialOf({ before }: SafetyOrder, stored: readonly StoredPart[]): HoldfastError | null {
  const lost = new Set(lostFoldersOf(stored));
  const unreadable = stored
    .flatMap((part) => part.unreadable)
    .filter((words) => lost.has(words) || !words.endsWith('no such file or directory'));
  if (unreadable.length === 0) return null;
  return new HoldfastError({
    code: 'source.partial',
    message: `${before} was stopped: ${unreadable.length} of the files at its target could not be read, so no safety point could hold them`,
    cause: unreadable.slice(0, 10).join('\n'),
    hint: 'grant the account Holdfast runs as read access to them, or restore beside with --to',
  });
}

async function damageOf(
  deployment: Deployment,
  { before, repair, repository, safetyPoint }: SafetyOrder,
  step: Step,
): Promise<HoldfastError | null> {
  step.say('info', `${repository.name} has lost data: every byte of the safety point is read back`);
  const found = await repository.readBack([safetyPoint], step);
  if (found.ok) return null;
  await markDamage(deployment, repository, [], found, step);
  return new HoldfastError({
    code: 'repository.damaged',
    message: `${before} was stopped: the safety point in ${repository.name} could not be read back whole`,
    cause: found.errors.slice(0, 10).join('\n'),
    hint: `${repair}, then start it again`,
  });
}
