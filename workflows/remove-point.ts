import { patched } from '@temporalio/workflow';
import { leaseHolder } from './lease-holder.ts';
import type { RemovePointInput } from './messages.ts';
import { controlSteps, longSteps } from './steps.ts';

/**
 * Takes a recovery point away, by a person's word: in each repository named, alone there, the engine forgets its
 * snapshots, and then the catalogue the copy. Begun again, it goes on where it stopped. The space comes back with the next prune.
 */
export async function removePoint(input: RemovePointInput): Promise<void> {
  const { point, repositories, actor, reason } = input;
  const leases = leaseHolder({ jobId: null, unleased: !patched('lease') });
  const control = controlSteps(point);
  const hostQueue = await control.hostOf();
  await control.beginRemoval(input);
  for (const repository of repositories) {
    await leases.hold([repository], 'exclusive', async ([lease]) => {
      const copy = { point, repository, actor, reason, ...(lease && { fence: lease.fence }) };
      await longSteps(hostQueue, `${point} from ${repository}`).removeCopy(copy);
    });
  }
}
