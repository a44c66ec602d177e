import { CONTROL_PLANE_ASSET } from '../../domain/control-plane/bundle.ts';
import type { Deployment } from '../deployment.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Step } from '../step.ts';

/**
 * Whether the repository still has the newest recovery point of the control plane that the catalogue knows there. If
 * not, it was put back to an older state: what else it lost with that is looked for and put on record. Every one of
 * those points names the head of the audit chain, so that none can be passed off as a newer one.
 */
export async function noticeRollback(
  { catalog, clock }: Pick<Deployment, 'catalog' | 'clock'>,
  repository: Repository,
  step: Step,
): Promise<void> {
  const newest = await catalog.controlPlane.newest(repository.name);
  if (!newest) return;
  const own = await repository.snapshots({ asset: CONTROL_PLANE_ASSET }, step);
  if (own.some(({ id }) => id === newest.snapshotId)) return;
  // Others store there meanwhile: what they record after the list was made is not missing from it.
  const storedBefore = clock().toISOString();
  const there = await repository.snapshots({}, step);
  const missing = await catalog.controlPlane.missing(
    repository.name,
    there.map(({ id }) => id),
    storedBefore,
  );
  const ids = missing.map(({ id }) => id);
  await catalog.controlPlane.rolledBack(repository.name, { pointId: newest.pointId, missing: ids });
  step.say(
    'error',
    `${repository.name} was rolled back to an older state: ${ids.length} points that were stored there are not there any more`,
  );
}
