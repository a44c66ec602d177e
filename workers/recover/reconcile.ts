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
import { controlPlanePoints, type ControlPlanePoint } from './choose-point.ts';

export interface Reconciled {
  /** Points that the catalogue did not know, by asset. */
  recorded: { asset: string; points: number }[];
  /** Copies that the catalogue knows and the repository has not: dropped after the dump was made, or lost. */
  missing: { asset: string; point: string; takenAt: string }[];
}

/** `hostname`: of the point everything comes from. Again it changes nothing. */
export async function reconcile(
  catalog: Catalog,
  repository: string,
  configuration: Configuration | null,
  listed: readonly EngineSnapshot[],
  hostname: string,
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
  // Another service may share the repository: its own state is no point of this one.
  await recordControlPlane(
    catalog,
    repository,
    controlPlanePoints(listed).filter((point) => point.hostname === hostname),
  );
  return { recorded, missing: await markMissing(catalog, repository, listed, now, step) };
}

/**
 * Its own, so that retention finds them. A job of the control plane that runs in the dump is, for one, the one that
 * stored the dump: with its point there it has succeeded, and to run it again would replace that point.
 */
async function recordControlPlane(
  catalog: Catalog,
  repository: string,
  newestFirst: readonly ControlPlanePoint[],
): Promise<void> {
  // Of several attempts at one point the last counts.
  const attempts = [...newestFirst].reverse();
  const points = [...new Map(attempts.map((one) => [one.labels.point, one])).values()];
  const ids = points.map(({ id }) => id);
  const unknown = new Set(await catalog.retention.unknownSnapshots(repository, ids));
  const jobs = await catalog.jobs.list({ type: 'controlPlane', status: ['running', 'waiting'], limit: 500 });
  const running = new Map(jobs.items.map(({ id }) => [derivedId(id, CONTROL_PLANE_ASSET), id]));
  for (const { id, labels, takenAt, paths, bytes } of points) {
    const jobId = running.get(labels.point) ?? null;
    if (!unknown.has(id) && jobId === null) continue;
    const fence = jobId === null ? null : await catalog.jobs.takeFence(jobId, CONTROL_PLANE_ASSET);
    const parts = [{ name: CONTROL_PLANE_PART, snapshotId: id, path: paths[0] ?? '/' }];
    await catalog.points.record(
      {
        ...{
          id: labels.point,
          asset: CONTROL_PLANE_ASSET,
          assetType: 'directory',
          policy: null,
          jobId,
        },
        ...{ kind: 'system', takenAt, method: 'files', manifest: null, bytes: bytes ?? 0, addedBytes: 0 },
        copies: [{ repository, artifactId: artifactIdOf(parts), parts, storedAt: takenAt }],
      },
      fence,
    );
    if (jobId !== null) await endAsSuccess(catalog, jobId, labels.point, takenAt);
  }
}

async function endAsSuccess(catalog: Catalog, jobId: string, point: string, endedAt: string): Promise<void> {
  const change = { status: 'success', recoveryPointId: point, proof: 'stored' } as const;
  await catalog.jobs.setAsset(jobId, CONTROL_PLANE_ASSET, change);
  await catalog.jobs.end(jobId, { status: 'success', endedAt });
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
