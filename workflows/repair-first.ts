// A repository in which damage was found is repaired before anything more is sent there: alone, as repairing drops
// from its index what others may be reading.

import { patched } from '@temporalio/workflow';
import type { AssetStep } from '../activities/contract.ts';
import type { LeaseHolder } from './lease-holder.ts';
import { controlSteps, longSteps } from './steps.ts';

/** Returns whether it was seen to: a workflow from before leaves it to its next step. */
export async function repairFirst(
  leases: LeaseHolder,
  hostQueue: string,
  { asset, ...scope }: AssetStep,
  repository: string,
): Promise<boolean> {
  if (!patched('repair-alone')) return false;
  const control = controlSteps(repository);
  if (!(await control.needsRepair(repository))) return true;
  await leases.hold([repository], 'exclusive', async ([lease]) => {
    const steps = longSteps(hostQueue, `repair of ${repository}`);
    await steps.repairRepository({ ...scope, asset, repository, ...(lease && { fence: lease.fence }) });
  });
  return true;
}
