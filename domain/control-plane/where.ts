import type { Configuration } from '../configuration/types.ts';
import { DEFAULT_CONTROL_PLANE_SECONDS } from '../configuration/schema-control-plane.ts';

/** As configured, else every repository that a policy uses, by name. */
export function controlPlaneIn(configuration: Configuration): {
  everySeconds: number;
  repositories: string[];
} {
  const { controlPlane, policies } = configuration;
  const used = policies.flatMap(({ repository, copies }) => [
    repository,
    ...copies.map((copy) => copy.repository),
  ]);
  return {
    everySeconds: controlPlane?.everySeconds ?? DEFAULT_CONTROL_PLANE_SECONDS,
    repositories: controlPlane?.repositories ?? [...new Set(used)].sort(),
  };
}
