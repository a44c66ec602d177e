// The figures behind the objectives, for all assets and repositories at once: a fixed number of queries,
// however many of either there are.

import type { Catalog } from './catalog.ts';
import type { Configuration, Policy } from '../domain/configuration/types.ts';
import { figuresOf, type Counted, type ObjectiveFigures } from '../domain/objectives/figures.ts';
import { missedSince } from '../domain/objectives/missed-runs.ts';
import { repositoryGrowth, type RepositoryGrowth } from '../domain/objectives/repository-growth.ts';
import { DAY_MILLISECONDS, WINDOW_DAYS } from '../domain/objectives/windows.ts';

export interface ObjectiveStatus {
  ofAsset(asset: string, policy: string | null): ObjectiveFigures;
  ofRepository(name: string): { growth: Omit<RepositoryGrowth, 'fillsAt'>; fillsAt: string | null };
}

export async function objectiveStatus(
  catalog: Catalog,
  configuration: Configuration | null,
  now: Date,
): Promise<ObjectiveStatus> {
  const { objectives } = catalog;
  const [pauses, all, countedUntil, sizes] = await Promise.all([
    catalog.policyPauses.open(),
    objectives.assetFigures(now),
    objectives.countedUntil(),
    objectives.sizes(new Date(now.getTime() - (WINDOW_DAYS.days90 + MARGIN_DAYS) * DAY_MILLISECONDS)),
  ]);
  const counted = new Map<string, Counted>(all.map((each) => [keyOf(each.asset, each.policy), each]));
  const policies = new Map<string, Policy>(configuration?.policies.map((policy) => [policy.name, policy]));
  const capacities = new Map(
    configuration?.repositories.map(({ name, headroom }) => [name, headroom?.capacityBytes ?? null]),
  );
  const missed = new Map<string, Date[]>();
  for (const [name, after] of countedUntil) {
    const policy = policies.get(name);
    if (policy && !pauses.has(name))
      missed.set(name, missedSince(policy.cadence, policy.timing.jitterSeconds, new Date(after), now));
  }
  return {
    ofAsset: (asset, policy) => {
      const own = policy === null ? undefined : counted.get(keyOf(asset, policy));
      const restores = counted.get(keyOf(asset, null));
      return figuresOf({
        counted: [own, restores].flatMap((each) => each ?? []),
        missed: missed.get(policy ?? '') ?? [],
        objective: policies.get(policy ?? '')?.objectives.successRate ?? null,
        now,
      });
    },
    ofRepository: (name) => {
      const { fillsAt, ...growth } = repositoryGrowth(
        sizes.get(name) ?? [],
        capacities.get(name) ?? null,
        now,
      );
      return { growth, fillsAt };
    },
  };
}

/** A measurement of before the longest window, to tell from what it grew. */
const MARGIN_DAYS = 10;

function keyOf(asset: string, policy: string | null): string {
  return `${asset}\0${policy ?? ''}`;
}
