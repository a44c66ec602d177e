// Which points a drill restores: only what is whole and undamaged in the copy it comes from.

import type { Catalog } from '../../catalog/index.ts';
import { policyWith } from '../../domain/chosen.ts';
import type { Drill } from '../../domain/configuration/drill-types.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { chooseAt } from '../../domain/drills/choose.ts';
import type { ChosenPoint } from '../../domain/drills/plan.ts';
import { assetsOfDrill } from '../../domain/drills/scope.ts';
import { formatDuration, writeDuration } from '../../domain/duration.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { proofOfCopy } from '../../domain/proof.ts';
import { hasEveryPart, type PointCopy, type RecoveryPoint } from '../../domain/recovery-point.ts';

export async function chosenPoints(
  catalog: Catalog,
  configuration: Configuration,
  drill: Drill,
  seed: string | null,
  now: Date,
): Promise<ChosenPoint[]> {
  const { from: repository, select } = drill;
  const chosen: ChosenPoint[] = [];
  for (const asset of assetsOfDrill(configuration, drill)) {
    if (select.rule === 'latest') {
      const point = await latest(catalog, asset, repository);
      chosen.push({ asset, point, candidates: point ? 1 : 0 });
      continue;
    }
    const since = new Date(now.getTime() - select.windowSeconds * 1000).toISOString();
    const points: RecoveryPoint[] = [];
    for await (const point of pointsIn(catalog, asset, repository)) {
      if (point.takenAt < since) break;
      if (isWhole(point, repository)) points.push(point);
    }
    chosen.push({ asset, point: chooseAt(points, seed ?? '', asset), candidates: points.length });
  }
  return chosen;
}

/**
 * What is taken down has to come back: only what was restored from that very copy before is counted on. Nor is more
 * given up for it than the objective allows to lose.
 */
export async function provenPoints(
  catalog: Catalog,
  configuration: Configuration,
  drill: Drill,
  now: Date,
): Promise<ChosenPoint[]> {
  const chosen: ChosenPoint[] = [];
  const without: string[] = [];
  for (const asset of assetsOfDrill(configuration, drill)) {
    const point = await newest(
      catalog,
      asset,
      drill.from,
      (one, copy) => proofOfCopy(copy, one) === 'proven',
    );
    if (point) chosen.push({ asset, point, candidates: 1 });
    else without.push(asset);
  }
  const message = `game day ${drill.name} was refused: nothing was taken down`;
  if (without.length > 0)
    throw new HoldfastError({
      ...{ code: 'point.unknown', message },
      cause: `no point in ${drill.from} is proven and undamaged of: ${without.join(', ')}`,
      hint: `prove them with \`holdfast drill run ${drill.name}\` first, then try again`,
    });
  const tooOld = chosen.flatMap((one) => olderThanAllowed(configuration, drill, one, now));
  if (tooOld.length === 0) return chosen;
  throw new HoldfastError({
    ...{ code: 'objective.breached', message },
    cause: `the newest proven points in ${drill.from} are older than what may be lost: ${tooOld.join(', ')}`,
    hint: `\`holdfast backup run <policy>\`, prove what it stored with \`holdfast drill run ${drill.name}\`, then try again`,
  });
}

function olderThanAllowed(
  configuration: Configuration,
  { objectives }: Drill,
  { asset, point }: ChosenPoint,
  now: Date,
): string[] {
  const limit = objectives.rpoSeconds ?? policyWith(configuration, asset)?.objectives.rpoSeconds ?? null;
  const age = point ? (now.getTime() - Date.parse(point.takenAt)) / 1000 : 0;
  if (limit === null || age <= limit) return [];
  return [`${asset} ${formatDuration(Math.round(age))} (RPO ${writeDuration(limit)})`];
}

/** A partial one only where there is no other. */
async function latest(catalog: Catalog, asset: string, repository: string): Promise<RecoveryPoint | null> {
  const point = await catalog.points.newest(asset, { repository });
  if (point === null || hasEveryPart(point, repository)) return point;
  return newest(catalog, asset, repository, () => true);
}

async function newest(
  catalog: Catalog,
  asset: string,
  repository: string,
  wanted: (point: RecoveryPoint, copy: PointCopy) => boolean,
): Promise<RecoveryPoint | null> {
  for await (const point of pointsIn(catalog, asset, repository)) {
    const copy = point.copies.find((one) => one.repository === repository);
    if (copy && isWhole(point, repository) && wanted(point, copy)) return point;
  }
  return null;
}

function isWhole(point: RecoveryPoint, repository: string): boolean {
  const copy = point.copies.find((one) => one.repository === repository);
  return (
    copy !== undefined &&
    point.partial === null &&
    proofOfCopy(copy, point) !== 'damaged' &&
    hasEveryPart(point, repository)
  );
}

/** Newest first. */
async function* pointsIn(catalog: Catalog, asset: string, repository: string): AsyncIterable<RecoveryPoint> {
  let cursor: string | null = null;
  do {
    const page: { items: RecoveryPoint[]; next: string | null } = await catalog.points.list({
      ...{ asset, repository, cursor },
      limit: 500,
    });
    yield* page.items;
    cursor = page.next;
  } while (cursor !== null);
}
