// What a run of a policy's verification has to do now: which groups of its repositories to read back, and which
// of its assets to rehearse.

import type { Policy, Verification } from '../configuration/types.ts';
import { HoldfastError } from '../errors.ts';
import { planReadings, type ReadingFacts, type ReadingPlan } from './plan.ts';
import { readingCadences, repositoriesOf, secondsBetween } from './reading-cadence.ts';

export interface VerificationPlan {
  policy: string;
  /** The time it is for; RFC 3339. */
  at: string;
  /** First where the policy's points are stored, then its copies. */
  repositories: ReadingPlan[];
  rehearsals: DueRehearsal[];
}

export interface DueRehearsal {
  asset: string;
  /** null: never. */
  lastProvenAt: string | null;
  limitSeconds: number;
}

export interface VerificationFacts {
  readings: readonly ReadingFacts[];
  /** By asset. */
  lastProofs: ReadonlyMap<string, string>;
}

/** `policies`: all of the configuration, for those that share a repository with this one. */
export function planVerification(
  policy: Policy,
  policies: readonly Policy[],
  { readings, lastProofs }: VerificationFacts,
  now: Date,
): VerificationPlan {
  const verification = verificationOf(policy);
  const cadences = readingCadences(policies);
  const plans = repositoriesOf(policy).flatMap((repository) => {
    const cadence = cadences.get(repository);
    const facts = readings.find((one) => one.repository === repository);
    return cadence && facts ? [planReadings(cadence, facts, now)] : [];
  });
  return {
    policy: policy.name,
    at: now.toISOString(),
    repositories: plans,
    rehearsals: dueRehearsals(policy, verification, lastProofs, now),
  };
}

export function verificationOf(policy: Policy): Verification {
  if (policy.verification) return policy.verification;
  throw new HoldfastError({
    code: 'usage',
    message: `nothing of policy ${policy.name} is ever due for verification`,
    cause: 'it has no verification in the applied configuration',
    hint: 'add verification: { every: 24h, within: 30d } to the policy and run `holdfast apply`; `holdfast verify run` without --due reads every point now',
  });
}

/** Due already when the next run would come too late. */
function dueRehearsals(
  { assets }: Policy,
  { cadence, rehearseSeconds }: Verification,
  lastProofs: ReadonlyMap<string, string>,
  now: Date,
): DueRehearsal[] {
  if (rehearseSeconds === null) return [];
  const nextRun = now.getTime() + secondsBetween(cadence) * 1000;
  return assets.flatMap((asset) => {
    const lastProvenAt = lastProofs.get(asset) ?? null;
    const last = lastProvenAt === null ? Number.NaN : Date.parse(lastProvenAt);
    // A proof from the future was dated by a clock that was wrong.
    const lasts = last <= now.getTime() && last + rehearseSeconds * 1000 >= nextRun;
    return lasts ? [] : [{ asset, lastProvenAt, limitSeconds: rehearseSeconds }];
  });
}
