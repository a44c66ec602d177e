import type { Catalog } from '../catalog/index.ts';
import type { Asset } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import { UNREAD_PART, type ArtifactPart, type CaptureMethod } from '../domain/recovery-point.ts';
import type { EngineSnapshot } from './repositories/repository.ts';
import { originOf } from './retention-comparison.ts';
import { artifactIdOf } from './store-parts.ts';

/**
 * Takes into the catalogue what Holdfast itself made of an asset and the catalogue does not know, as after its loss:
 * all from the snapshots' labels, tags and what a partial point lacks included (law 6). Returns the points' ids.
 * What a job of this catalogue left is that job's, or a leftover; safety points are left to retention's clock.
 */
export async function recordOwnPoints(
  catalog: Catalog,
  repository: string,
  asset: LabelledAsset,
  listed: readonly EngineSnapshot[],
): Promise<string[]> {
  const own = listed.filter(({ labels }) => labels?.kind === 'regular' && isNamed(asset, labels.asset));
  const ids = own.map(({ id }) => id);
  const unknown = new Set(await catalog.retention.unknownSnapshots(repository, ids));
  const recorded: string[] = [];
  for (const point of pointsIn(asset, own)) {
    if (!unknown.has(point.parts[0].part.snapshotId)) continue;
    if ((await originOf(catalog, point.parts[0].snapshot)) !== 'unknown') continue;
    await record(catalog, repository, asset, point);
    recorded.push(point.id);
  }
  return recorded;
}

/** What there is to know of an asset that no configuration has any more. */
export type LabelledAsset = Pick<Asset, 'name' | 'type' | 'renamedFrom'>;

/** The assets whose names are on points here, and what the parts of those points show them to be. */
export function labelledAssets(listed: readonly EngineSnapshot[]): LabelledAsset[] {
  const types = new Map<string, Asset['type']>();
  for (const { labels } of listed) {
    const [type] = ASSET_TYPES.filter((one) => DATA_PARTS[one] === labels?.part);
    if (labels?.kind === 'regular' && type) types.set(labels.asset, type);
  }
  return [...types].map(([name, type]) => ({ name, type }));
}

interface OwnPart {
  part: ArtifactPart;
  snapshot: EngineSnapshot;
}

interface OwnPoint {
  id: string;
  takenAt: string;
  /** The data first. */
  parts: [OwnPart, ...OwnPart[]];
}

/** Its snapshots keep the labels of the name it had. */
function isNamed({ name, renamedFrom }: LabelledAsset, label: string): boolean {
  return label === name || label === renamedFrom;
}

/**
 * All parts of one attempt have one time. Where a later attempt stored the point anew, that one counts; an attempt
 * that was broken off before it had the data is no point.
 */
function pointsIn(asset: LabelledAsset, own: readonly EngineSnapshot[]): OwnPoint[] {
  const points = new Map<string, OwnPoint>();
  for (const snapshot of own.filter(({ labels }) => labels?.part === DATA_PARTS[asset.type])) {
    const { labels, takenAt } = snapshot;
    const id = labels?.point ?? '';
    const before = points.get(id);
    if (before && before.takenAt > takenAt) continue;
    const others = own.filter(
      (one) => one.labels?.point === id && one.takenAt === takenAt && one.labels.part !== labels?.part,
    );
    const parts = others.map((other) => partOf(asset, other));
    points.set(id, { id, takenAt, parts: [partOf(asset, snapshot), ...parts] });
  }
  return [...points.values()];
}

const ASSET_TYPES: readonly Asset['type'][] = ['directory', 'sqlite', 'postgres'];
const DATA_PARTS: Record<Asset['type'], string> = {
  directory: 'files',
  sqlite: 'database',
  postgres: 'dump',
};
const METHODS: Record<Asset['type'], CaptureMethod> = {
  directory: 'files',
  sqlite: 'sqlite-backup',
  postgres: 'dump',
};

/** As `store` gives it: a folder lies under its own path, what a command printed at the top. */
function partOf(asset: LabelledAsset, snapshot: EngineSnapshot): OwnPart {
  const name = snapshot.labels?.part ?? '';
  const printed = asset.type === 'postgres' || name === UNREAD_PART;
  const path = printed ? '/' : (snapshot.paths[0] ?? '/');
  return { part: { name, snapshotId: snapshot.id, path }, snapshot };
}

async function record(
  catalog: Catalog,
  repository: string,
  asset: LabelledAsset,
  point: OwnPoint,
): Promise<void> {
  const parts = point.parts.map(({ part }) => part);
  const copy = { repository, artifactId: artifactIdOf(parts), parts, storedAt: point.takenAt };
  if (await isKnown(catalog, point.id)) {
    await catalog.points.recordCopy(point.id, copy);
    return;
  }
  const data = point.parts.filter(({ part }) => part.name !== UNREAD_PART);
  const unread = point.parts.find(({ part }) => part.name === UNREAD_PART);
  await catalog.points.record(
    {
      ...{ id: point.id, asset: asset.name, assetType: asset.type, policy: null, jobId: null },
      ...{ kind: 'regular', takenAt: point.takenAt, method: METHODS[asset.type], manifest: null },
      partial: unread?.snapshot.labels?.partial ?? null,
      tags: [...(point.parts[0].snapshot.labels?.tags ?? [])],
      bytes: data.reduce((sum, { snapshot }) => sum + (snapshot.bytes ?? 0), 0),
      addedBytes: 0,
      copies: [copy],
    },
    null,
  );
}

/** By another repository's copy of it. */
async function isKnown(catalog: Catalog, id: string): Promise<boolean> {
  try {
    await catalog.points.find(id);
    return true;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'point.unknown') return false;
    throw error;
  }
}
