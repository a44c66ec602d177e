import { HoldfastError } from '../domain/errors.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import { whyImmutable } from '../domain/removal.ts';
import { runStep } from './activity-step.ts';
import type { HostActivities } from './contract.ts';
import type { Deployment } from './deployment.ts';
import { openUnderLease } from './open-under-lease.ts';

/** The hands that take a recovery point out of a repository. */
export function createRemovalSteps(deployment: Deployment): Pick<HostActivities, 'removeCopy'> {
  return {
    removeCopy: ({ point: id, repository: name, actor, reason, fence }) =>
      runStep(
        {
          catalog: deployment.catalog,
          processes: deployment.processes,
          clock: deployment.clock,
          attempted: `removal of recovery point ${id} from ${name} failed`,
          key: `remove.${id}.${name}`,
          job: null,
          subject: `point/${id}`,
        },
        async (step, interrupted) => {
          const catalog = deployment.catalog.as(actor);
          const point = await unlessRemoved(catalog.points.find(id));
          const copy = point?.copies.find((one) => one.repository === name);
          if (!point || !copy) return;
          const applied = await catalog.configurations.current();
          if (!applied) throw nothingApplied(name);
          const configured = applied.configuration.repositories.find((one) => one.name === name);
          const immutable = whyImmutable(point, copy, configured, deployment.clock());
          if (immutable !== null) throw stays(id, immutable);
          const fences = fence === undefined ? [] : [{ repository: name, fence }];
          const repository = await openUnderLease(deployment, applied.configuration, name, fences);
          if (interrupted) await repository.recover(step);
          // By its id as well as by the catalogue's: an asset's new name is not in the labels of old snapshots.
          const known = new Set(copy.parts.map((part) => part.snapshotId));
          const there = (await repository.snapshots({}, step))
            .filter((snapshot) => known.has(snapshot.id) || snapshot.labels?.point === id)
            .map((snapshot) => snapshot.id);
          await repository.forget(there, step);
          await catalog.removals.copyGone(id, name, reason);
        },
      ),
  };
}

/** null: an earlier attempt recorded that the last copy is gone. */
async function unlessRemoved(found: Promise<RecoveryPoint>): Promise<RecoveryPoint | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'point.unknown') return null;
    throw error;
  }
}

function stays(id: string, why: string): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `recovery point ${id} was not removed`,
    cause: why,
    hint: 'wait until then, or remove its other copies with --repository',
  });
}

function nothingApplied(repository: string): HoldfastError {
  return new HoldfastError({
    code: 'notFound',
    message: `repository ${repository} cannot be reached`,
    cause: 'no configuration was applied yet',
    hint: 'run `holdfast apply`',
  });
}
