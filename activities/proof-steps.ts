import { join } from 'node:path';
import type { Fence } from '../catalog/index.ts';
import { HoldfastError } from '../domain/errors.ts';
import { dataParts, type PointCopy, type RecoveryPoint } from '../domain/recovery-point.ts';
import { runStep } from './activity-step.ts';
import type { AssetStep, HostActivities } from './contract.ts';
import { assetOf, configurationOf, type Deployment } from './deployment.ts';
import { pagesOfPoints } from './points-to-verify.ts';
import { recordDamage } from './record-damage.ts';
import type { Repository } from './repositories/repository.ts';
import type { RestoredParts } from './sources/source.ts';
import type { Step } from './step.ts';
import { recordDuration } from './record-duration.ts';
import { withWorkspace } from './workspace.ts';

type ProofSteps = Pick<HostActivities, 'verifyPoints' | 'provePoint'>;

/** The hands that turn `stored` into `verified` and `proven`, or find that it is neither. */
export function createProofSteps(deployment: Deployment): ProofSteps {
  const { catalog } = deployment;

  const on = (input: AssetStep & { repository: string }, step: string) => ({
    catalog,
    processes: deployment.processes,
    clock: deployment.clock,
    attempted: `${step} of ${input.asset} from ${input.repository} failed`,
    key: `${input.jobId}.${input.asset}.${step}`,
    job: { id: input.jobId, asset: input.asset, step },
  });

  return {
    verifyPoints: async (input) => {
      const fence = await catalog.jobs.takeFence(input.jobId, input.asset);
      await runStep({ ...on(input, `verify in ${input.repository}`), fence }, async (step) => {
        const configuration = await configurationOf(deployment, input.configuration);
        const repository = await deployment.openRepository(configuration, input.repository);
        const points = await copiesToRead(deployment, input);
        if (points.length === 0) {
          step.say('info', `nothing of ${input.asset} is in ${repository.name} any more`);
          return;
        }
        const startedAt = deployment.clock().getTime();
        const found = await repository.readBack(
          points.map(({ id }) => id),
          step,
        );
        const damaged = new Set(found.damagedSnapshots);
        const verifiedAt = deployment.clock().toISOString();
        for (const point of points) {
          if (point.snapshots.some((snapshot) => damaged.has(snapshot))) continue;
          await catalog.points.markCopy(point.id, repository.name, { verifiedAt }, fence);
        }
        if (!found.ok) throw await recordDamage(deployment, repository, points, found, step);
        const bytes = points.reduce((total, point) => total + point.bytes, 0);
        const measured = { run: input.jobId, asset: input.asset, step: 'verify', bytes } as const;
        await recordDuration(deployment, measured, startedAt);
        const what = points.length === 1 ? `point ${points[0]?.id}` : `${points.length} points`;
        step.say('info', `every byte of ${what} in ${repository.name} was read back and is whole`);
      });
    },

    provePoint: async (input) => {
      const fence = await catalog.jobs.takeFence(input.jobId, input.asset);
      await runStep({ ...on(input, 'rehearsal'), fence }, async (step) => {
        const configuration = await configurationOf(deployment, input.configuration);
        const asset = assetOf(configuration, input.asset);
        const repository = await deployment.openRepository(configuration, input.repository);
        const point = await catalog.points.find(input.point);
        const copy = copyIn(point, input.repository);
        const startedAt = deployment.clock().getTime();
        const key = `${input.jobId}.${input.asset}.rehearsal`;
        await counted(deployment, fence, step, () =>
          withWorkspace(deployment.dataDir, asset.name, key, async (workspace) => {
            const sandbox = join(workspace.scratch, 'restored');
            const restored = await restoreParts(deployment, repository, point, copy, sandbox, [], step);
            const report = await deployment
              .sourceOf(asset)
              .rehearse(asset, restored, point.manifest, workspace, step);
            for (const check of report.checks) {
              step.say(check.ok ? 'info' : 'error', `${check.name}: ${check.detail}`);
            }
            if (!report.ok) throw proofFailed(point, repository.name, report.checks);
          }),
        );
        const provenAt = deployment.clock().toISOString();
        await catalog.points.markCopy(point.id, repository.name, { verifiedAt: provenAt, provenAt }, fence);
        const measured = {
          run: input.jobId,
          asset: input.asset,
          step: 'rehearse',
          bytes: point.bytes,
        } as const;
        await recordDuration(deployment, measured, startedAt);
      });
    },
  };
}

interface CopyToRead {
  id: string;
  asset: string;
  takenAt: string;
  bytes: number;
  snapshots: string[];
}

/** Of each no more than is needed: there may be tens of thousands. */
async function copiesToRead(
  deployment: Deployment,
  { asset, repository, points, every }: Parameters<ProofSteps['verifyPoints']>[0],
): Promise<CopyToRead[]> {
  const { catalog } = deployment;
  const toRead = (point: RecoveryPoint): CopyToRead => ({
    ...{ id: point.id, asset: point.asset, takenAt: point.takenAt, bytes: point.bytes },
    snapshots: copyIn(point, repository).parts.map((part) => part.snapshotId),
  });
  if (!every) return (await Promise.all(points.map((id) => catalog.points.find(id)))).map(toRead);
  const copies: CopyToRead[] = [];
  for await (const page of pagesOfPoints(deployment, asset)) {
    const here = page.filter((point) => point.copies.some((copy) => copy.repository === repository));
    copies.push(...here.map(toRead));
  }
  return copies;
}

/** Counted for the objectives. Tried again, the last word counts; what was stopped says nothing. */
async function counted(
  { catalog }: Deployment,
  fence: Fence,
  step: Step,
  rehearse: () => Promise<void>,
): Promise<void> {
  try {
    await rehearse();
  } catch (error) {
    if (!step.signal.aborted) await catalog.objectives.recordRehearsal(fence, false);
    throw error;
  }
  await catalog.objectives.recordRehearsal(fence, true);
}

/**
 * Restores every part of a point into `target/<part>`. Bytes that cannot be read are a fact about the point,
 * not about this step: they are recorded as damage.
 */
export async function restoreParts(
  deployment: Deployment,
  repository: Repository,
  point: RecoveryPoint,
  copy: PointCopy,
  target: string,
  include: string[],
  step: Step,
): Promise<RestoredParts> {
  const restored: RestoredParts = {};
  for (const part of dataParts(copy)) {
    const folder = join(target, part.name);
    try {
      await repository.restore(
        { snapshotId: part.snapshotId, path: part.path, target: folder, include, expectedBytes: point.bytes },
        step,
      );
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'repository.damaged') throw error;
      // An interrupted restore can look like damage: only a reading of the bytes may call a point damaged.
      const found = await repository.readBack([point.id], step);
      if (!found.ok) throw await recordDamage(deployment, repository, [point], found, step);
      throw new HoldfastError({
        code: 'tool.failed',
        message: error.message,
        cause: error.cause,
        hint: error.hint,
      });
    }
    restored[part.name] = folder;
  }
  return restored;
}

export function copyIn(point: RecoveryPoint, repository: string): PointCopy {
  const copy = point.copies.find((one) => one.repository === repository);
  if (copy) return copy;
  throw new HoldfastError({
    code: 'point.unknown',
    message: `recovery point ${point.id} has no copy in ${repository}`,
    cause: `it is in ${point.copies.map((one) => one.repository).join(', ')}`,
    hint: 'choose one of these with --from',
  });
}

function proofFailed(
  point: RecoveryPoint,
  repository: string,
  checks: readonly { name: string; ok: boolean; detail: string }[],
): HoldfastError {
  const failed = checks.filter((check) => !check.ok);
  return new HoldfastError({
    code: 'proof.failed',
    message: `recovery point ${point.id} of ${point.asset}, restored from ${repository}, is not what was backed up`,
    cause: failed.map((check) => `${check.name}: ${check.detail}`).join('\n'),
    hint: 'do not rely on this point; back up again, and compare with another copy (`holdfast verify run`)',
  });
}
