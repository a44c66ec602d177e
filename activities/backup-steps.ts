import type { Fence } from '../catalog/index.ts';
import type { Asset } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import { proofOfCopy } from '../domain/proof.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import { runStep } from './activity-step.ts';
import type { AssetStep, HostActivities, PointStep, SnapshotOutcome } from './contract.ts';
import { assetOf, configurationOf, type Deployment } from './deployment.ts';
import { runHook } from './hosts/user-command.ts';
import { noted } from './copy-attempt.ts';
import { forgetLeft } from './forget-left.ts';
import { send } from './guards/sending.ts';
import { requireEncrypting, warnOfOtherChunker } from './look-once.ts';
import { measureWhenDue } from './measure-repository.ts';
import { openUnderLease } from './open-under-lease.ts';
import { repairIfDamaged } from './repair-if-damaged.ts';
import type { EngineSnapshot, Recovered, Repository, StoredPart } from './repositories/repository.ts';
import type { Step } from './step.ts';
import {
  artifactIdOf,
  copyOf,
  createdWhenAbsent,
  lostFoldersOf,
  sizesOf,
  storeParts,
} from './store-parts.ts';
import { recordDuration } from './record-duration.ts';
import { requireArrived } from './require-arrived.ts';
import { storeUnread, unreadOf, unreadWords } from './store-unread.ts';
import { withWorkspace } from './workspace.ts';

type BackupSteps = Pick<
  HostActivities,
  'preflightAsset' | 'runHooks' | 'repairRepository' | 'snapshotAsset' | 'copyPoint'
>;

/** The hands of the backup pipeline. */
export function createBackupSteps(deployment: Deployment): BackupSteps {
  const { catalog } = deployment;

  const on = (input: AssetStep, step: string) => ({
    catalog,
    processes: deployment.processes,
    clock: deployment.clock,
    attempted: `backup of ${input.asset} failed in ${step}`,
    key: `${input.jobId}.${input.asset}.${step}`,
    job: { id: input.jobId, asset: input.asset, step },
  });

  return {
    preflightAsset: (input) =>
      runStep(on(input, 'preflight'), async (step) => {
        const asset = assetOf(await configurationOf(deployment, input.configuration), input.asset);
        await deployment.sourceOf(asset).preflight(asset, step);
      }),

    runHooks: async (input) => {
      const configuration = await configurationOf(deployment, input.configuration);
      const { hooks } = assetOf(configuration, input.asset);
      if (hooks[input.when].length === 0) return;
      await runStep(on(input, `hooks ${input.when}`), async (step) => {
        for (const command of hooks[input.when]) {
          await runHook(command, { folder: configuration.folder, onError: hooks.onError }, step);
        }
      });
    },

    repairRepository: (input) =>
      runStep(on(input, `repair of ${input.repository}`), async (step, interrupted) => {
        const { repository: name, fence } = input;
        const fences = fence === undefined ? [] : [{ repository: name, fence }];
        const configuration = await configurationOf(deployment, input.configuration);
        const repository = await openUnderLease(deployment, configuration, name, fences);
        if (interrupted) await repository.recover(step);
        await repairIfDamaged(deployment, repository, step);
      }),

    snapshotAsset: async (input) => {
      const fence = await catalog.jobs.takeFence(input.jobId, input.asset);
      return runStep({ ...on(input, 'snapshot'), fence }, async (step, interrupted) => {
        const configuration = await configurationOf(deployment, input.configuration);
        const asset = assetOf(configuration, input.asset);
        const repository = await openUnderLease(deployment, configuration, input.repository, input.fences);
        if (!input.repaired) await repairIfDamaged(deployment, repository, step);
        // The first step of an asset takes its first fence: a later number is a later attempt, whoever counts.
        const again = interrupted || fence.number > 1;
        const left = again ? await leftByEarlierAttempts(repository, input.point, step) : NOTHING_LEFT;
        const { orphans, found } = left;
        await catalog.jobs.assertFence(fence);

        await requireEncrypting(deployment, configuration, repository, step);
        const startedAt = deployment.clock().getTime();
        const takenAt = new Date(startedAt).toISOString();
        const captured = await send(
          deployment,
          { configuration, repository, upload: uploadOf(input, 'store', fence), found },
          step,
          (watched) => capture(deployment, asset, input, repository, takenAt, orphans, watched),
          ({ point }) => point.addedBytes,
        );
        await catalog.points.record({ ...captured.point, takenAt }, fence);
        await catalog.jobs.setAsset(
          input.jobId,
          input.asset,
          { recoveryPointId: input.point, proof: 'stored', notes: captured.notes },
          fence,
        );
        if (orphans.length > 0) await forgetLeft(repository, superseded(orphans, captured.point), step);
        const { bytes, addedBytes } = captured.point;
        const measured = { run: input.jobId, asset: input.asset, step: 'store', bytes } as const;
        await recordDuration(deployment, measured, startedAt);
        await measureWhenDue(deployment, configuration, repository, step);
        return { bytes, addedBytes, partial: captured.partial };
      });
    },

    copyPoint: async (input) => {
      const fence = await catalog.jobs.takeFence(input.jobId, input.asset);
      const copy = async (step: Step, interrupted: boolean) => {
        const configuration = await configurationOf(deployment, input.configuration);
        const from = await openUnderLease(deployment, configuration, input.from, input.fences);
        const to = await openUnderLease(deployment, configuration, input.to, input.fences);
        if (!input.repaired) await repairIfDamaged(deployment, to, step);
        let found: Recovered | null = null;
        if (interrupted) {
          await from.recover(step);
          found = await to.recover(step);
        }
        const point = await catalog.points.find(input.point);
        const there = point.copies.find((one) => one.repository === input.to);
        if (there) {
          if (proofOfCopy(there, point) === 'damaged') throw damagedThere(input.point, input.to);
          step.say('info', `point ${input.point} is in ${input.to} already`);
          return;
        }
        const source = point.copies.find((one) => one.repository === input.from);
        if (!source) throw notThere(input.point, input.from);
        const startedAt = deployment.clock().getTime();
        if ((await catalog.removals.orderedOut(input.asset, input.to)).includes(input.point)) {
          step.say('info', `point ${input.point} was taken out of ${input.to} by a person, and stays away`);
          return;
        }
        await requireEncrypting(deployment, configuration, to, step);
        // The data last: whoever finds no more than the rest of it there finds no point.
        const ids = source.parts.map((part) => part.snapshotId).reverse();
        const copied = await send(
          deployment,
          { configuration, repository: to, upload: uploadOf(input, 'copy', fence), found },
          step,
          (watched) =>
            createdWhenAbsent(deployment, to, from, watched, () => to.copyFrom(from, ids, watched)),
          (_, progress) => progress?.bytesDone ?? 0,
        );
        const parts = source.parts.map((part) => {
          const snapshotId = copied.get(part.snapshotId);
          if (!snapshotId) throw notThere(part.snapshotId, input.to);
          return { ...part, snapshotId };
        });
        await warnOfOtherChunker(deployment, configuration, { from, to }, step);
        await requireArrived(deployment, to, [...copied.values()], step);
        await catalog.points.recordCopy(
          input.point,
          {
            repository: input.to,
            artifactId: artifactIdOf(parts),
            parts,
            storedAt: deployment.clock().toISOString(),
          },
          fence,
        );
        const measured = { run: input.jobId, asset: input.asset, step: 'copy', bytes: point.bytes } as const;
        await recordDuration(deployment, measured, startedAt);
        await measureWhenDue(deployment, configuration, to, step);
      };
      await noted(deployment, input, () => runStep({ ...on(input, `copy to ${input.to}`), fence }, copy));
    },
  };
}

/**
 * An interrupted run may have left a whole-looking snapshot that is partial. It serves as the parent of the
 * new one, so that nothing is read or sent twice, and is forgotten afterwards.
 */
async function leftByEarlierAttempts(repository: Repository, point: string, step: Step): Promise<LeftBehind> {
  try {
    const found = await repository.recover(step);
    return { orphans: await repository.snapshots({ point }, step), found };
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'repository.absent') return NOTHING_LEFT;
    throw error;
  }
}

interface LeftBehind {
  orphans: EngineSnapshot[];
  found: Recovered | null;
}

const NOTHING_LEFT: LeftBehind = { orphans: [], found: null };

function uploadOf({ jobId, asset }: PointStep, step: 'store' | 'copy', { number }: Fence) {
  return { run: jobId, asset, step, attempt: number };
}

type Captured = {
  point: Omit<RecoveryPoint, 'proof' | 'copies' | 'orphaned' | 'takenAt'> & {
    copies: [
      {
        repository: string;
        artifactId: string;
        parts: RecoveryPoint['copies'][0]['parts'];
        storedAt: string;
      },
    ];
  };
  notes: string[];
  partial: SnapshotOutcome['partial'];
};

async function capture(
  deployment: Deployment,
  asset: Asset,
  input: PointStep & { manifest: boolean; tags?: string[] },
  repository: Repository,
  takenAt: string,
  orphans: EngineSnapshot[],
  step: Step,
): Promise<Captured> {
  const key = `${input.jobId}.${input.asset}`;
  return withWorkspace(deployment.dataDir, asset.name, key, async (workspace) => {
    const source = deployment.sourceOf(asset);
    const captured = await source.capture(asset, workspace, step, { manifest: input.manifest });
    try {
      const { tags = [] } = input;
      const labels = { point: input.point, asset: asset.name, kind: 'regular' as const, takenAt, tags };
      const stored = await storeParts(deployment, captured, labels, repository, orphans, step);
      const unread = await storeUnread(stored, labels, repository, workspace.scratch, step);
      const { manifest, notes } = await captured.settle(stored, repository);
      for (const note of notes) step.say('info', note);
      const point: Captured['point'] = {
        id: input.point,
        asset: asset.name,
        assetType: asset.type,
        policy: input.policy,
        jobId: input.jobId,
        kind: 'regular',
        method: captured.method,
        partial: unreadWords(stored),
        tags,
        ...sizesOf(stored),
        copies: [copyOf(repository.name, [...stored, ...unread], deployment.clock())],
        manifest,
      };
      return { point, notes, partial: partialOf(asset.name, stored) };
    } finally {
      await captured.close();
    }
  });
}

function superseded(orphans: readonly { id: string }[], point: Captured['point']): string[] {
  const current = new Set(point.copies[0].parts.map((part) => part.snapshotId));
  return orphans.map((snapshot) => snapshot.id).filter((id) => !current.has(id));
}

const UNREAD =
  'grant the account Holdfast runs as read access, or exclude these paths; what could be read is stored';
const LOST =
  'it was compared with a point that the repository has lost a part of: `holdfast verify run` of its policy finds out which, and the next backup after it is whole';

function partialOf(asset: string, stored: readonly StoredPart[]): SnapshotOutcome['partial'] {
  const words = unreadWords(stored);
  if (words === null) return null;
  const unread = unreadOf(stored);
  const lost = lostFoldersOf(stored);
  return new HoldfastError({
    ...{ code: 'source.partial', message: `backup of ${asset} is partial: ${words}` },
    cause: unread.slice(0, 10).join('\n'),
    hint: [...(lost.length > 0 ? [LOST] : []), ...(lost.length < unread.length ? [UNREAD] : [])].join('; '),
  }).toContract();
}

function damagedThere(point: string, repository: string): HoldfastError {
  return new HoldfastError({
    code: 'repository.damaged',
    message: `point ${point} was not copied to ${repository}`,
    cause: 'its damaged copy is still there, and nothing is sent while it is',
    hint: `\`holdfast sync run\` of its policy clears the damaged copy away and sends it anew`,
  });
}

function notThere(id: string, repository: string): HoldfastError {
  return new HoldfastError({
    code: 'point.unknown',
    message: `recovery point ${id} could not be found in ${repository}`,
    cause: 'the repository and the catalogue do not agree',
    hint: `look at what is there with \`holdfast points show ${id}\``,
  });
}
