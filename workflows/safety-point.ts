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
    const other = otherPlace(chosen, plan, failureOf(error).code);
    if (other === null || !patched('safety-elsewhere')) throw error;
    const elsewhere = { ...plan, safetyRepository: other };
    if (patched('safety-sound') && (await needsRepair(other))) await repairSoon(leases, elsewhere);
    return leases.hold([other], 'shared', (fences) =>
      steps.takeSafetyPoint({ ...elsewhere, fences, safetyPoint: uuid4() }),
    );
  }
}

/** The one of the two that was not tried: where the data comes from, or what the policy names. */
function otherPlace({ plan, unread }: ChosenCopy, tried: RestorePlan, code: string): string | null {
  const { repository, safetyRepository: named } = plan;
  if (named === undefined || named === repository) return null;
  if (tried.safetyRepository === named) return OUT_OF_REACH.includes(code) ? repository : null;
  const gone = unread.some((one) => one.repository === named);
  return !gone && NO_USE.includes(code) ? named : null;
}

const NO_USE: readonly string[] = [...OUT_OF_REACH, 'repository.full', 'repository.damaged'];

/**
 * A repository in which damage was found believes to have what it has lost, and takes none of it again. Another one
 * serves; where none does, the one the data comes from is repaired as far as it can be, while the services still run.
 * What is then taken there is read back before anything goes.
 */
async function withSoundPlace(leases: LeaseHolder, { plan, unread }: ChosenCopy): Promise<RestorePlan> {
  const { repository, safetyRepository: named } = plan;
  if (named === undefined) return plan;
  const elsewhere = { ...plan, safetyRepository: repository };
  const gone = unread.some((one) => one.repository === named);
  if (!patched('safety-sound')) return gone ? elsewhere : plan;
  if (!gone && !(await needsRepair(named))) return plan;
  if ((gone || repository !== named) && !(await needsRepair(repository))) return elsewhere;
  // Where nothing may be at the target there is nothing to keep.
  if (plan.to === null) await repairSoon(leases, elsewhere);
  return elsewhere;
}

/** A repair that cannot be had, or not soon, keeps nobody from what does not need it. */
async function repairSoon(leases: LeaseHolder, plan: RestorePlan): Promise<void> {
  const place = plan.safetyRepository ?? plan.repository;
  const steps = longSteps(plan.hostQueue, `repair of ${place}`);
  try {
    await CancellationScope.withTimeout(REPAIR_WAIT, () =>
      leases.hold([place], 'exclusive', (fences) => steps.repairForSafety({ ...plan, fences })),
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
