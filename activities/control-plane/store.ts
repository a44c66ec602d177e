import {
  CONTROL_PLANE_ASSET,
  CONTROL_PLANE_PART,
  type ControlPlaneManifest,
} from '../../domain/control-plane/bundle.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { runStep } from '../activity-step.ts';
import type { HostActivities } from '../contract.ts';
import { configurationOf, type Deployment } from '../deployment.ts';
import { forgetLeft } from '../forget-left.ts';
import { send } from '../guards/sending.ts';
import { openUnderLease } from '../open-under-lease.ts';
import type { Repository, StoredPart } from '../repositories/repository.ts';
import type { Step } from '../step.ts';
import { copyOf, sizesOf } from '../store-parts.ts';
import { withGathered } from './gather.ts';
import { noticeRollback } from './notice-rollback.ts';

/**
 * The hands of the control plane's own backup. Stored before it is recorded: whoever dies in between leaves a
 * snapshot that the next attempt of the job replaces.
 */
export function createControlPlaneSteps(deployment: Deployment): Pick<HostActivities, 'storeControlPlane'> {
  const { catalog } = deployment;
  return {
    storeControlPlane: async ({ jobId, configuration: digest, repository: name, point, fences }) => {
      const fence = await catalog.jobs.takeFence(jobId, CONTROL_PLANE_ASSET);
      const options = {
        catalog,
        processes: deployment.processes,
        clock: deployment.clock,
        attempted: `storing the control plane in ${name} failed`,
        key: `${jobId}.control-plane`,
        job: { id: jobId, asset: CONTROL_PLANE_ASSET, step: 'store' },
        fence,
      };
      return runStep(options, async (step, interrupted) => {
        const configuration = await configurationOf(deployment, digest);
        if (!(await catalog.repositories.find(name))?.initialisedAt) {
          step.say(
            'info',
            `nothing was stored in ${name} yet: the control plane comes after the first backup`,
          );
          return { point: null };
        }
        const repository = await openUnderLease(deployment, configuration, name, fences);
        // The first attempt of a job takes the first fence: see `snapshotAsset`.
        const again = interrupted || fence.number > 1;
        const found = again ? await repository.recover(step) : null;
        await noticeRollback(deployment, repository, step);
        const earlier = again ? await repository.snapshots({ point }, step) : [];
        await catalog.jobs.assertFence(fence);

        const takenAt = deployment.clock().toISOString();
        const upload = {
          run: jobId,
          asset: CONTROL_PLANE_ASSET,
          step: 'store',
          attempt: fence.number,
        } as const;
        const { stored, manifest } = await send(
          deployment,
          { configuration, repository, upload, found },
          step,
          (watched) =>
            withGathered(
              deployment,
              { pointId: point, takenAt, repository: name },
              watched,
              async ({ folder, manifest }) => ({
                stored: await store(repository, folder, { point, takenAt }, watched),
                manifest,
              }),
            ),
          (result) => result.stored.addedBytes,
        );
        await catalog.points.record(
          {
            ...{ id: point, asset: CONTROL_PLANE_ASSET, assetType: 'directory', policy: null, jobId },
            ...{ kind: 'system', takenAt, method: 'files', manifest: summaryOf(manifest) },
            ...sizesOf([stored]),
            copies: [copyOf(name, [stored], deployment.clock())],
          },
          fence,
        );
        const change = { recoveryPointId: point, proof: 'stored' } as const;
        await catalog.jobs.setAsset(jobId, CONTROL_PLANE_ASSET, change, fence);
        await forgetLeft(
          repository,
          earlier.map(({ id }) => id).filter((id) => id !== stored.snapshotId),
          step,
        );
        return { point };
      });
    },
  };
}

async function store(
  repository: Repository,
  folder: string,
  { point, takenAt }: { point: string; takenAt: string },
  step: Step,
): Promise<StoredPart> {
  const part = { kind: 'folder', name: CONTROL_PLANE_PART, path: folder, exclude: [] } as const;
  const labels = { point, takenAt, asset: CONTROL_PLANE_ASSET, kind: 'system', part: part.name } as const;
  const stored = await repository.store({ ...part, exclude: [] }, labels, step);
  if (stored.unreadable.length === 0) return stored;
  throw new HoldfastError({
    code: 'source.partial',
    message: `the control plane was not stored whole in ${repository.name}`,
    cause: stored.unreadable.slice(0, 10).join('\n'),
    hint: 'let the user the worker runs as read the whole data directory',
    retryable: true,
  });
}

function summaryOf({ files, migration, configurationDigest, audit, evidence }: ControlPlaneManifest) {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return {
    kind: 'control-plane',
    ...{ files: files.length, bytes, migration, configurationDigest, audit, evidence },
  } as const;
}
