import type { Configuration, Policy } from './configuration/types.ts';
import { HoldfastError } from './errors.ts';

/** What a person named, found in the applied configuration or refused with what there is. */
export function policyOf(configuration: Configuration | null, name: string): Policy {
  const policy = configuration?.policies.find((one) => one.name === name);
  if (policy) return policy;
  throw new HoldfastError({
    code: 'notFound',
    message: `policy ${name} is not in the applied configuration`,
    cause: configuration
      ? `it has ${configuration.policies.map((one) => one.name).join(', ')}`
      : 'no configuration was applied yet',
    hint: 'check the name, or run `holdfast apply`',
  });
}

/** The policy that protects an asset; an asset may be in none. */
export function policyWith(configuration: Configuration, asset: string): Policy | undefined {
  return configuration.policies.find(({ assets }) => assets.includes(asset));
}

export function assetsOf(policy: Policy, wanted: readonly string[]): string[] {
  const unknown = wanted.find((name) => !policy.assets.includes(name));
  if (unknown === undefined)
    return policy.assets.filter((name) => wanted.length === 0 || wanted.includes(name));
  throw new HoldfastError({
    code: 'notFound',
    message: `asset ${unknown} is not in policy ${policy.name}`,
    cause: `it has ${policy.assets.join(', ')}`,
    hint: 'choose one of these with --asset',
  });
}
