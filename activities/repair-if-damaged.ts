import type { Deployment } from './deployment.ts';
import type { Repository } from './repositories/repository.ts';
import type { Step } from './step.ts';

/** A repository in which damage was found takes back nothing that it believes to have already. */
export async function repairIfDamaged(
  deployment: Deployment,
  repository: Repository,
  step: Step,
): Promise<void> {
  const state = await deployment.catalog.repositories.find(repository.name);
  if (!state?.needsRepair) return;
  step.say(
    'warning',
    `${repository.name} has damaged data: what is lost there is dropped from its index, so that it is sent again where it still exists`,
  );
  const packs = state.damage?.packs ?? [];
  await repository.repair(step, packs.length > 0 ? packs : undefined);
  await deployment.catalog.repositories.markRepaired(repository.name, deployment.clock().toISOString());
}
