// Where a restore keeps what is at its target before it is taken away, so that there is a way back.

import { patched, uuid4 } from '@temporalio/workflow';
import type { RestorePlan } from '../activities/contract.ts';
import type { LeaseHolder } from './lease-holder.ts';
import { OUT_OF_REACH, type ChosenCopy } from './restore-copies.ts';
import { commandSteps, controlSteps, failureOf, longSteps } from './steps.ts';

/**
 * In the repository of the asset's policy. Where that is gone, as after the loss of a site, in the one the data comes
 * from: it was just read from.
 */
export async function keepWhatIsThere(leases: LeaseHolder, chosen: ChosenCopy): Promise<string | null> {
  const plan = await withSoundPlace(leases, chosen);
  const steps = longSteps(plan.hostQueue, plan.asset);
  const commands = commandSteps(plan.hostQueue, plan.asset);
  try {
    // Waited for while the services still run: a prune that is under way must not keep them stopped.
    return await leases.hold(safetyPlaces(plan), 'shared', async (fences) => {
      // Stopped first: what a service still writes after the safety point was taken would be in no place at all.
      await commands.runRestoreCommands({ ...plan, which: 'stop' });
      return steps.takeSafetyPoint({ ...plan, fences, safetyPoint: uuid4() });
    });
  } catch (error) {
    const { repository, safetyRepository } = plan;
    if (repository === safetyRepository || !OUT_OF_REACH.includes(failureOf(error).code)) throw error;
    if (!patched('safety-elsewhere')) throw error;
    return leases.hold([repository], 'shared', (fences) =>
      steps.takeSafetyPoint({ ...plan, safetyRepository: repository, fences, safetyPoint: uuid4() }),
    );
  }
}

/**
 * A repository in which damage was found believes to have what it has lost, and takes none of it again: a safety point
 * there would lack it. Another one serves, or it is repaired first, while the services still run.
 */
async function withSoundPlace(leases: LeaseHolder, { plan, unread }: ChosenCopy): Promise<RestorePlan> {
  const { repository, safetyRepository: place } = plan;
  if (place === undefined) return plan;
  const elsewhere = { ...plan, safetyRepository: repository };
  if (unread.some((one) => one.repository === place)) return elsewhere;
  if (!patched('safety-sound') || !(await needsRepair(place))) return plan;
  if (repository !== place && !(await needsRepair(repository))) return elsewhere;
  const steps = longSteps(plan.hostQueue, `repair of ${place}`);
  await leases.hold([place], 'exclusive', (fences) => steps.repairForSafety({ ...plan, fences }));
  return plan;
}

function needsRepair(repository: string): Promise<boolean> {
  return controlSteps(repository).needsRepair(repository);
}

/** A restore from before it was leased goes on without. */
function safetyPlaces({ safetyRepository }: RestorePlan): string[] {
  return patched('safety-lease') && safetyRepository !== undefined ? [safetyRepository] : [];
}
