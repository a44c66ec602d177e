// What a drill brings back, and in which order: an asset comes back after those that stand before it in the
// configuration.

import { policyWith } from '../chosen.ts';
import type { Drill, GameDay } from '../configuration/drill-types.ts';
import type { Configuration } from '../configuration/types.ts';
import { HoldfastError } from '../errors.ts';

export function drillOf(configuration: Configuration | null, name: string): Drill {
  const drills = configuration?.drills ?? [];
  const drill = drills.find((one) => one.name === name);
  if (drill) return drill;
  throw new HoldfastError({
    code: 'notFound',
    message: `drill ${name} is not in the applied configuration`,
    cause: configuration
      ? `it has ${drills.map((one) => one.name).join(', ') || 'no drills'}`
      : 'no configuration was applied yet',
    hint: 'check the name, or add it under drills and run `holdfast apply`',
  });
}

export function gameDayOf({ name, gameDay }: Drill): GameDay {
  if (gameDay) return gameDay;
  throw new HoldfastError({
    code: 'configuration.invalid',
    message: `drill ${name} cannot be held as a game day`,
    cause: 'it does not say what takes the service down and what watches it',
    hint: 'write gameDay: { takeDown: [[./stop-and-wipe.sh]], watch: { http: … } } into it, then `holdfast apply`',
  });
}

export function assetsOfDrill(configuration: Configuration, drill: Drill): string[] {
  const named = new Set([
    ...drill.assets,
    ...configuration.policies
      .filter(({ name }) => drill.policies.includes(name))
      .flatMap(({ assets }) => assets),
  ]);
  return configuration.assets
    .filter((asset) => named.has(asset.name) || drill.classes.includes(asset.class))
    .map(({ name }) => name);
}

/** Each once, in the order of its assets. */
export function policiesOfDrill(configuration: Configuration, drill: Drill): string[] {
  const policies = assetsOfDrill(configuration, drill).flatMap(
    (asset) => policyWith(configuration, asset)?.name ?? [],
  );
  return [...new Set(policies)];
}
