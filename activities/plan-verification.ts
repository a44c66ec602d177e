import { policyOf } from '../domain/chosen.ts';
import type { Policy } from '../domain/configuration/types.ts';
import { proofOfCopy } from '../domain/proof.ts';
import { readingsOf } from '../domain/verification/plan.ts';
import { planVerification, verificationOf, type DueRehearsal } from '../domain/verification/policy-plan.ts';
import { repositoriesOf } from '../domain/verification/reading-cadence.ts';
import type { CadencePlan, DueRehearsalOfPoint, JobScope } from './contract.ts';
import { configurationOf, type Deployment } from './deployment.ts';

/** What this run reads and rehearses, from what the catalogue knows. What was read since is no longer in it. */
export async function planCadenceRun(deployment: Deployment, input: JobScope): Promise<CadencePlan> {
  const { catalog } = deployment;
  const configuration = await configurationOf(deployment, input.configuration);
  const policy = policyOf(configuration, input.policy);
  verificationOf(policy);
  const now = deployment.clock();
  const repositories = repositoriesOf(policy);
  const facts = {
    readings: await catalog.readings.facts(repositories),
    lastProofs: await catalog.readings.lastProofs(policy.assets),
  };
  const plan = planVerification(policy, configuration.policies, facts, now);
  const due = plan.repositories.filter((one) => one.due.length > 0);
  for (const { repository } of due) await catalog.readings.begin(repository, now.toISOString());
  const rehearsals = await Promise.all(plan.rehearsals.map((one) => newestWhole(deployment, policy, one)));
  return {
    repositories: due.map((one) => ({
      repository: one.repository,
      groups: one.groups,
      readings: readingsOf(one),
    })),
    rehearsals: rehearsals.filter((one) => one !== null),
  };
}

/** From its last copy, which is the farthest away; null: there is no whole point to rehearse. */
async function newestWhole(
  { catalog }: Deployment,
  policy: Policy,
  { asset }: DueRehearsal,
): Promise<DueRehearsalOfPoint | null> {
  const point = await catalog.points.newest(asset);
  if (!point || point.partial !== null) return null;
  const sound = repositoriesOf(policy).filter((name) =>
    point.copies.some((copy) => copy.repository === name && proofOfCopy(copy, point) !== 'damaged'),
  );
  const repository = sound.at(-1);
  return repository === undefined ? null : { asset, point: point.id, repository };
}
