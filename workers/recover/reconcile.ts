// Brings a restored catalogue in line with the repository it came from: what was stored there after the dump was
// made, and what is not there any more.

import { derivedId } from '../../activities/derived-id.ts';
import { labelledAssets, recordOwnPoints } from '../../activities/own-points.ts';
import type { EngineSnapshot } from '../../activities/repositories/repository.ts';
import { artifactIdOf } from '../../activities/store-parts.ts';
import type { Step } from '../../activities/step.ts';
import type { Catalog } from '../../catalog/index.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { CONTROL_PLANE_ASSET, CONTROL_PLANE_PART } from '../../domain/control-plane/bundle.ts';
import { proofOfCopy } from '../../domain/proof.ts';
import { controlPlanePoints } from './choose-point.ts';

export interface Reconciled {
  /** Points that the catalogue did not know, by asset. */
  recorded: { asset: string; points: number }[];
  /** Copies that the catalogue knows and the repository has not: dropped after the dump was made, or lost. */
  missing: { asset: string; point: string; takenAt: string }[];
}

/** Again it changes nothing. */
export async function reconcile(
  catalog: Catalog,
  repository: string,
  configuration: Configuration | null,
  listed: readonly EngineSnapshot[],
  now: Date,
  step: Step,
): Promise<Reconciled> {
  await catalog.repositories.markInitialised(repository, now.toISOString());
  const configured = configuration?.assets ?? [];
  const names = new Set(configured.flatMap(({ name, renamedFrom }) => [name, renamedFrom]));
  const others = labelledAssets(listed).filter(({ name }) => !names.has(name));
  const recorded: Reconciled['recorded'] = [];
  for (const asset of [...configured, ...others]) {
    step.signal.throwIfAborted();
    const points = (await recordOwnPoints(catalog, repository, asset, listed)).length;
    if (points > 0) recorded.push({ asset: asset.name, points });
  }
  await recordControlPlane(catalog, repository, listed);
  return { recorded, missing: await markMissing(catalog, repository, listed, now, step) };
}

/** Its own, so that retention finds them. The point of a job that was running when the dump was made is that job's. */
async function recordControlPlane(
  catalog: Catalog,
  repository: string,
  listed: readonly EngineSnapshot[],
): Promise<void> {
  const points = controlPlanePoints(listed).reverse();
  const ids = points.map(({ id }) => id);
  const unknown = new Set(await catalog.retention.unknownSnapshots(repository, ids));
  const jobs = await catalog.jobs.list({ type: 'controlPlane', status: ['running', 'waiting'], limit: 500 });
  const running = new Set(jobs.items.map(({ id }) => derivedId(id, CONTROL_PLANE_ASSET)));
  for (const { id, labels, takenAt, paths, bytes } of points) {
    if (!unknown.has(id) || running.has(labels.point)) continue;
    const parts = [{ name: CONTROL_PLANE_PART, snapshotId: id, path: paths[0] ?? '/' }];
    await catalog.points.record(
      {
        ...{
          id: labels.point,
          asset: CONTROL_PLANE_ASSET,
          assetType: 'directory',
          policy: null,
          jobId: null,
        },
        ...{ kind: 'system', takenAt, method: 'files', manifest: null, bytes: bytes ?? 0, addedBytes: 0 },
        copies: [{ repository, artifactId: artifactIdOf(parts), parts, storedAt: takenAt }],
      },
      null,
    );
  }
}

/** As damaged: nothing can be restored from such a copy, and no retention waits for it. */
async function markMissing(
  catalog: Catalog,
  repository: string,
  listed: readonly EngineSnapshot[],
  now: Date,
  step: Step,
): Promise<Reconciled['missing']> {
  const there = new Set(listed.map(({ id }) => id));
  const missing: Reconciled['missing'] = [];
  let cursor: string | null = null;
  do {
    step.signal.throwIfAborted();
    const page = await pageOf(catalog, repository, cursor);
    for (const { id, asset, takenAt, copies, partial } of page.items) {
      const copy = copies.find((one) => one.repository === repository);
      if (!copy || proofOfCopy(copy, { partial }) === 'damaged') continue;
      if (copy.parts.every(({ snapshotId }) => there.has(snapshotId))) continue;
      await catalog.points.markCopy(id, repository, { damagedAt: now.toISOString() });
      missing.push({ asset, point: id, takenAt });
    }
    cursor = page.next;
  } while (cursor !== null);
  return missing;
}

function pageOf(catalog: Catalog, repository: string, cursor: string | null) {
  return catalog.points.list({ repository, kind: null, limit: 500, cursor });
}
