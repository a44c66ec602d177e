import { HoldfastError } from '../domain/errors.ts';
import { proofOfCopy } from '../domain/proof.ts';
import type { Deployment } from './deployment.ts';
import { runStep } from './activity-step.ts';
import { configurationOf } from './deployment.ts';
import type { HostActivities } from './contract.ts';
import { failureNoted } from './copy-attempt.ts';
import { openUnderLease } from './open-under-lease.ts';
import type { Repository } from './repositories/repository.ts';
import { isRetainedByStore } from './retention-steps.ts';
import type { Step } from './step.ts';

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
            await refuseUsed(deployment, point, to);
            const source = await openUnderLease(deployment, configuration, from, fences);
            await requireReadable(deployment, source, point, to, step);
            const left = await catalog.damagedCopies.withdraw({ jobId, point, from, to });
            if (left.length === 0) return;
            const there = new Set((await repository.snapshots({ point }, step)).map(({ id }) => id));
            try {
              await repository.forget(
                left.filter((id) => there.has(id)),
                step,
              );
            } catch (error) {
              // It stays there, so it stays in the lists.
              if (error instanceof HoldfastError && isRetainedByStore(error))
                await catalog.retention.putBack(to, [point], error.cause);
              throw error;
            }
            await catalog.retention.gone(to, [point]);
            step.say('warning', `the damaged copy of ${point} in ${to} is replaced by a new one`);
          },
        );
      return failureNoted(deployment, input, cleared);
    },
  };
}

/** What is damaged may be all that there is: nobody takes it away under a hold, or from under a restore. */
async function refuseUsed({ catalog }: Deployment, point: string, to: string): Promise<void> {
  const [hold] = await catalog.holds.openOf([point]);
  const [restore] = await catalog.removals.openRestores(point);
  if (!hold && !restore) return;
  throw new HoldfastError({
    code: 'request.conflict',
    message: `the damaged copy of ${point} in ${to} is not replaced`,
    cause: hold ? `${hold.owner} holds the point: ${hold.reason}` : `restore ${restore} uses it`,
    hint: 'it is sent again by the sync after the hold was released, or the restore has ended',
  });
}

/** A damaged copy can still give most of its files back: it goes only when what replaces it was read back to the last byte. */
async function requireReadable(
  { catalog }: Deployment,
  source: Repository,
  id: string,
  to: string,
  step: Step,
): Promise<void> {
  const point = await catalog.points.find(id);
  const copy = point.copies.find(({ repository }) => repository === source.name);
  if (!copy) return;
  const proof = proofOfCopy(copy, point);
  if (proof === 'verified' || proof === 'proven') return;
  step.say('info', `reading ${id} back in ${source.name}, before its damaged copy in ${to} is replaced`);
  const { ok, errors } = await source.readBack([id], step);
  if (ok) return;
  throw new HoldfastError({
    code: 'repository.damaged',
    message: `the damaged copy of ${id} in ${to} is not replaced`,
    cause: `it does not read back in ${source.name} either: ${errors.slice(0, 3).join('; ')}`,
    hint: `neither copy is whole: restore what can be had from ${to} before anything is removed there; \`holdfast verify run\` of its policy says what is damaged`,
  });
}
