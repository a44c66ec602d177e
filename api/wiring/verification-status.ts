import type { Catalog } from '../../catalog/index.ts';
import { policyOf } from '../../domain/chosen.ts';
import {
  planVerification,
  verificationOf,
  type VerificationPlan,
} from '../../domain/verification/policy-plan.ts';
import { repositoriesOf } from '../../domain/verification/reading-cadence.ts';

/** What the next run would do if it began now. */
export async function verificationPlan(catalog: Catalog, name: string): Promise<VerificationPlan> {
  const configuration = (await catalog.configurations.current())?.configuration ?? null;
  const policy = policyOf(configuration, name);
  verificationOf(policy);
  const readings = await catalog.readings.facts(repositoriesOf(policy));
  const lastProofs = await catalog.readings.lastProofs(policy.assets);
  return planVerification(policy, configuration?.policies ?? [], { readings, lastProofs }, new Date());
}
