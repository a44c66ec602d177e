import type { Page } from '../catalog/index.ts';
import { policyOf } from '../domain/chosen.ts';
import type { Policy } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import type { ControlActivities, VerifyTarget } from './contract.ts';
import type { Deployment } from './deployment.ts';

/** As many as the catalogue lists at once. */
const POINTS_A_PAGE = 500;

/** What is read back of each asset in each repository: by name, the newest, or everything. */
export async function pointsToVerify(
  deployment: Deployment,
  input: Parameters<ControlActivities['pointsToVerify']>[0],
): Promise<VerifyTarget[]> {
  const { catalog } = deployment;
  const applied = await catalog.configurations.find(input.configuration);
  const policy = policyOf(applied.configuration, input.policy);
  const configured = new Set(applied.configuration.repositories.map((repository) => repository.name));
  const configuredOf = (point: RecoveryPoint) =>
    point.copies.map((copy) => copy.repository).filter((name) => configured.has(name));
  if (input.all && input.points.length === 0) return everyTarget(deployment, policy, configuredOf);
  const points = await wantedPoints(deployment, policy.assets, input.points);
  const targets = new Map<string, VerifyTarget>();
  const toRehearse = policy.proof === 'proven' ? newestWhole(points) : new Set<RecoveryPoint>();
  for (const point of points) {
    const repositories = configuredOf(point);
    if (input.points.length > 0) refuseUnreadable(point, policy, repositories);
    for (const repository of repositories) {
      const target = targetOf(targets, point, repository);
      target.points.push(point.id);
      if (toRehearse.has(point) && repository === repositories.at(-1)) target.rehearse = point.id;
    }
  }
  return [...targets.values()];
}

/** The regular points of an asset, newest first, a page at a time. */
export async function* pagesOfPoints(
  { catalog: { points } }: Deployment,
  asset: string,
): AsyncGenerator<RecoveryPoint[]> {
  let cursor: string | null = null;
  do {
    const page: Page<RecoveryPoint> = await points.list({
      asset,
      kind: 'regular',
      limit: POINTS_A_PAGE,
      cursor,
    });
    yield page.items;
    cursor = page.next;
  } while (cursor !== null);
}

/** Of any number of points it says no more than where there are some: who reads them looks for them itself. */
async function everyTarget(
  deployment: Deployment,
  policy: Policy,
  configuredOf: (point: RecoveryPoint) => string[],
): Promise<VerifyTarget[]> {
  const targets = new Map<string, VerifyTarget>();
  for (const asset of policy.assets) {
    let rehearsed = policy.proof !== 'proven';
    for await (const page of pagesOfPoints(deployment, asset)) {
      for (const point of page) {
        const repositories = configuredOf(point);
        for (const repository of repositories) {
          const target = targetOf(targets, point, repository);
          target.every = true;
          if (target.points.length === 0) target.points.push(point.id);
        }
        const last = repositories.at(-1);
        if (rehearsed || point.partial !== null || last === undefined) continue;
        targetOf(targets, point, last).rehearse = point.id;
        rehearsed = true;
      }
    }
  }
  return [...targets.values()];
}

function targetOf(
  targets: Map<string, VerifyTarget>,
  { asset }: RecoveryPoint,
  repository: string,
): VerifyTarget {
  const key = JSON.stringify([asset, repository]);
  const target = targets.get(key) ?? { asset, repository, points: [], rehearse: null };
  targets.set(key, target);
  return target;
}

/** Of each asset one: a rehearsal of a partial point would fail for what it is known to lack. */
function newestWhole(points: readonly RecoveryPoint[]): Set<RecoveryPoint> {
  const newest = new Map<string, RecoveryPoint>();
  for (const point of points) {
    const known = newest.get(point.asset);
    if (point.partial === null && (!known || point.takenAt > known.takenAt)) newest.set(point.asset, point);
  }
  return new Set(newest.values());
}

/** Somebody asked for this very point: a job that read nothing of it must not end as a success. */
function refuseUnreadable(point: RecoveryPoint, policy: Policy, repositories: readonly string[]): void {
  const ofPolicy = policy.assets.includes(point.asset);
  if (ofPolicy && repositories.length > 0) return;
  const kept = point.copies.map((copy) => copy.repository).join(', ');
  throw new HoldfastError({
    code: 'point.unknown',
    message: `recovery point ${point.id} cannot be verified with policy ${policy.name}`,
    cause: ofPolicy
      ? `it is kept in ${kept}, which the applied configuration does not have`
      : `it is of ${point.asset}, and the policy has ${policy.assets.join(', ')}`,
    hint: ofPolicy
      ? 'add the repository to the configuration again, then `holdfast apply`'
      : `name the policy that has ${point.asset}, or choose a point with \`holdfast points list\``,
  });
}

async function wantedPoints(
  deployment: Deployment,
  assets: readonly string[],
  references: readonly string[],
): Promise<RecoveryPoint[]> {
  const { points } = deployment.catalog;
  if (references.length > 0) return Promise.all(references.map((reference) => points.find(reference)));
  return (await Promise.all(assets.map((asset) => newestOf(deployment, asset)))).flat();
}

/** A partial point cannot be rehearsed: with it comes the newest whole one, which can. */
async function newestOf({ catalog: { points } }: Deployment, asset: string): Promise<RecoveryPoint[]> {
  const { items } = await points.list({ asset, kind: 'regular', limit: 1 });
  if (!items[0]?.partial) return items;
  const whole = await points.newest(asset);
  return whole && whole.id !== items[0].id ? [...items, whole] : items;
}
