import type { Configuration, Policy } from './types.ts';

/** A document as an earlier version kept it, with what has come since at its defaults. */
export function completed(kept: Configuration): Configuration {
  return { ...kept, policies: kept.policies.map(completedPolicy) };
}

function completedPolicy(kept: Omit<Policy, 'timing'> & Partial<Policy>): Policy {
  return {
    ...kept,
    timing: kept.timing ?? { window: null, jitterSeconds: null, catchUpSeconds: null, overlap: 'skip' },
  };
}
