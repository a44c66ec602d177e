import type { Deployment } from './deployment.ts';
import { runStep } from './activity-step.ts';
import { configurationOf } from './deployment.ts';
import type { HostActivities } from './contract.ts';
import { failureNoted } from './copy-attempt.ts';
import { openUnderLease } from './open-under-lease.ts';

/**
 * A damaged copy goes, so that the point can be sent anew: restic sends nothing of a snapshot that it finds there. It
 * leaves the lists first, then the engine: whoever dies in between leaves a copy in no list, which the next plan still
 * knows as one to clear away. Its intact data stays for the new copy; a store's lock on the old one holds as it did.
 */
export function createDamagedCopySteps(deployment: Deployment): Pick<HostActivities, 'clearDamagedCopy'> {
  const { catalog } = deployment;
  return {
    clearDamagedCopy: (input) => {
      const { jobId, asset, point, from, to, fences } = input;
      const cleared = () =>
        runStep(
          {
            catalog,
            processes: deployment.processes,
            clock: deployment.clock,
            attempted: `clearing away the damaged copy of ${asset} in ${to} failed`,
            key: `${jobId}.${asset}.clear ${to}`,
            job: { id: jobId, asset, step: `clear damaged copy in ${to}` },
          },
          async (step, interrupted) => {
            const configuration = await configurationOf(deployment, input.configuration);
            const repository = await openUnderLease(deployment, configuration, to, fences);
            if (interrupted) await repository.recover(step);
            const left = await catalog.damagedCopies.withdraw({ jobId, point, from, to });
            if (left.length === 0) return;
            const there = new Set((await repository.snapshots({ point }, step)).map(({ id }) => id));
            await repository.forget(
              left.filter((id) => there.has(id)),
              step,
            );
            await catalog.retention.gone(to, [point]);
            step.say('warning', `the damaged copy of ${point} in ${to} is replaced by a new one`);
          },
        );
      return failureNoted(deployment, input, cleared);
    },
  };
}
