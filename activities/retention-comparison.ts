// Whether a repository and the catalogue speak of the same snapshots.

import type { Catalog, RepositoryPlan } from '../catalog/index.ts';
import { proofOfCopy } from '../domain/proof.ts';
import { derivedId } from './derived-id.ts';
import type { EngineSnapshot, Repository } from './repositories/repository.ts';
import type { Step } from './step.ts';

export interface Comparison {
  /** Of copies that are said to be whole. */
  missing: { pointId: string; snapshotId: string }[];
  /** Holdfast's own by their tags, and nobody here made them. */
  unknown: string[];
  /** Of attempts that were broken off, in jobs that are over: no point was ever made of them. */
  leftovers: string[];
}

export async function compareWithCatalogue(
  catalog: Catalog,
  repository: Repository,
  plan: RepositoryPlan,
  step: Step,
): Promise<Comparison> {
  const listed = await repository.snapshots({}, step);
  const there = new Set(listed.map(({ id }) => id));
  const missing = [...plan.assets, plan.controlPlane].flatMap(({ copies }) =>
    copies
      .filter((copy) => proofOfCopy(copy, copy) !== 'damaged')
      .flatMap(({ id: pointId, snapshotIds }) =>
        snapshotIds.filter((id) => !there.has(id)).map((snapshotId) => ({ pointId, snapshotId })),
      ),
  );
  // A safety point is recorded by its restore, a copy by its job: only what a backup stores is compared.
  const assets = new Set(plan.assets.map(({ asset }) => asset));
  const own = listed.filter(({ labels }) => labels?.kind === 'regular' && assets.has(labels.asset));
  const ids = own.map(({ id }) => id);
  const strange = new Set(await catalog.retention.unknownSnapshots(repository.name, ids));
  const comparison: Comparison = { missing, unknown: [], leftovers: [] };
  for (const snapshot of own.filter(({ id }) => strange.has(id))) {
    const origin = await originOf(catalog, snapshot);
    if (origin === 'unknown') comparison.unknown.push(snapshot.id);
    if (origin === 'ended') comparison.leftovers.push(snapshot.id);
  }
  return comparison;
}

/** A job's points have ids that follow from its own: that is how a snapshot without a point tells its job. */
export async function originOf(
  catalog: Catalog,
  { labels, takenAt }: EngineSnapshot,
): Promise<'unknown' | 'running' | 'ended'> {
  if (!labels) return 'unknown';
  for (const jobId of await catalog.retention.jobsAt(labels.asset, takenAt)) {
    if (derivedId(jobId, labels.asset) !== labels.point) continue;
    return (await catalog.jobs.find(jobId)).endedAt === null ? 'running' : 'ended';
  }
  return 'unknown';
}
