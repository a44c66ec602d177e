// What a policy's retention would keep and drop, from what the catalogue knows: nothing is asked of a
// repository, and nothing changes.

import type { Configuration, Policy } from '../domain/configuration/types.ts';
import { CONTROL_PLANE_ASSET } from '../domain/control-plane/bundle.ts';
import { planControlPlaneRetention } from '../domain/control-plane/retention.ts';
import { anomaliesOf, type Anomaly } from '../domain/retention/anomalies.ts';
import type { ClockJump } from '../domain/retention/clock-jump.ts';
import { retainedPoint, retentionIn, type Hold } from '../domain/retention/copy-facts.ts';
import { planRetention, type Decision } from '../domain/retention/plan.ts';
import type { Catalog, Page } from './catalog.ts';
import type { CopyFacts } from './retention.ts';

export interface RepositoryPlan {
  repository: string;
  assets: AssetPlan[];
  /** Of the control plane's own points there, which no policy's retention speaks of. */
  controlPlane: AssetPlan;
}

interface AssetPlan {
  asset: string;
  copies: CopyFacts[];
  decisions: Decision[];
}

export interface PlanRequest {
  configuration: Configuration;
  policy: Policy;
  repository: string;
  now: Date;
}

export async function planRepository(catalog: Catalog, request: PlanRequest): Promise<RepositoryPlan> {
  const { configuration, policy, repository, now } = request;
  const configured = configuration.repositories.find(({ name }) => name === repository);
  const rules = retentionIn(policy, repository);
  const immutableDays = configured?.immutability?.days ?? null;
  const pointsOf = async (asset: string) => {
    const holds = await holdsOn(catalog, asset);
    const copies = await everyCopy(catalog, asset, repository);
    return { copies, points: copies.map((copy) => retainedPoint(copy, holds)) };
  };
  const assets: AssetPlan[] = [];
  for (const asset of policy.assets) {
    const { copies, points } = await pointsOf(asset);
    assets.push({ asset, copies, decisions: planRetention({ points, rules, immutableDays, now }) });
  }
  const { copies, points } = await pointsOf(CONTROL_PLANE_ASSET);
  const decisions = planControlPlaneRetention({ points, immutableDays, now });
  return { repository, assets, controlPlane: { asset: CONTROL_PLANE_ASSET, copies, decisions } };
}

/** What of a plan cannot be believed; the snapshots are known to whoever has asked the repository. */
export function anomaliesIn(
  plan: RepositoryPlan,
  policy: Policy,
  seen: {
    now: Date;
    clockJump: ClockJump | null;
    missingSnapshots: readonly string[];
    unknownSnapshots: readonly string[];
  },
): Anomaly[] {
  const maxDropShare = retentionIn(policy, plan.repository)?.maxDropShare ?? null;
  return anomaliesOf({
    policy: policy.name,
    repository: plan.repository,
    plans: plan.assets,
    ...seen,
    ...(maxDropShare !== null && { bounds: { maxDropShare } }),
  });
}

/** What has to stay, whatever the rules say: the points of open restores, and what people hold. */
async function holdsOn(catalog: Catalog, asset: string): Promise<Hold[]> {
  const { items } = await catalog.restores.list({
    asset,
    status: ['preparing', 'prepared', 'awaitingApproval', 'committing', 'checking'],
    limit: 500,
  });
  const ofRestores = items.flatMap(({ id, point, safetyPointId, status }): Hold[] => [
    { pointId: point, owner: `restore ${id}`, reason: `it is ${status}` },
    ...(safetyPointId ? [{ pointId: safetyPointId, owner: `restore ${id}`, reason: 'its way back' }] : []),
  ]);
  return [...ofRestores, ...(await catalog.holds.open(asset))];
}

/** What is known of an asset's copies in one repository. */
export async function everyCopy(catalog: Catalog, asset: string, repository: string): Promise<CopyFacts[]> {
  const copies: CopyFacts[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<CopyFacts> = await catalog.retention.facts(asset, repository, { limit: 500, cursor });
    copies.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return copies;
}
