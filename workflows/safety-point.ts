// Where a restore keeps what is at its target before it is taken away, so that there is a way back.

import { CancellationScope, isCancellation, patched, uuid4 } from '@temporalio/workflow';
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
 * A repository in which damage was found believes to have what it has lost, and takes none of it again. Another one
 * serves; where none does, the one the data comes from is repaired as far as it can be, while the services still run.
 * What is then taken there is read back before anything goes.
 */
async function withSoundPlace(leases: LeaseHolder, { plan, unread }: ChosenCopy): Promise<RestorePlan> {
  const { repository, safetyRepository: place } = plan;
  if (place === undefined) return plan;
  const elsewhere = { ...plan, safetyRepository: repository };
  if (unread.some((one) => one.repository === place)) return elsewhere;
  if (!patched('safety-sound') || !(await needsRepair(place))) return plan;
  if (repository !== place && !(await needsRepair(repository))) return elsewhere;
  // Where nothing may be at the target there is nothing to keep.
  if (plan.to === null) await repairSoon(leases, elsewhere);
  return elsewhere;
}

/** A repair that cannot be had, or not soon, keeps nobody from what does not need it. */
async function repairSoon(leases: LeaseHolder, plan: RestorePlan): Promise<void> {
  const { repository } = plan;
  const steps = longSteps(plan.hostQueue, `repair of ${repository}`);
  try {
    await CancellationScope.withTimeout(REPAIR_WAIT, () =>
      leases.hold([repository], 'exclusive', (fences) => steps.repairForSafety({ ...plan, fences })),
    );
  } catch (error) {
    // Said in the worker's log. The safety point itself says whether it is whole.
    if (!isCancellation(error)) failureOf(error);
  }
}

/** For whoever works there now to end, and for the repair. */
const REPAIR_WAIT = '10 min';

function needsRepair(repository: string): Promise<boolean> {
  return controlSteps(repository).needsRepair(repository);
}

/** A restore from before it was leased goes on without. */
function safetyPlaces({ safetyRepository }: RestorePlan): string[] {
  return patched('safety-lease') && safetyRepository !== undefined ? [safetyRepository] : [];
}
