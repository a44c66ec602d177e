import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { policyWith } from '../domain/chosen.ts';
import type { Asset, Configuration } from '../domain/configuration/types.ts';
import { dataParts, type Manifest } from '../domain/recovery-point.ts';
import type { DrillIntegrity } from '../domain/evidence/record.ts';
import { runStep } from './activity-step.ts';
import type { HostActivities, RestorePlan } from './contract.ts';
import { assetOf, configurationOf, folders, type Deployment } from './deployment.ts';
import { checkHealthOf } from './hosts/health-check.ts';
import { runHook } from './hosts/user-command.ts';
import { openUnderLease } from './open-under-lease.ts';
import { repairIfDamaged } from './repair-if-damaged.ts';
import { copyIn, restoreParts } from './proof-steps.ts';
import { localFolderOf } from './repositories/restic-connection.ts';
import { storeSafetyPoint } from './safety-point.ts';
import { refuseReserved } from './sources/directory-target.ts';
import { integrityOf } from './sources/integrity.ts';
import type { RestoreOrder, Source } from './sources/source.ts';
import type { Step } from './step.ts';
import { recordDuration } from './record-duration.ts';
import { withWorkspace } from './workspace.ts';

type RestoreSteps = Pick<
  HostActivities,
  | 'checkRestoreTarget'
  | 'stageRestore'
  | 'validateRestore'
  | 'previewRestore'
  | 'repairForSafety'
  | 'takeSafetyPoint'
  | 'runRestoreCommands'
  | 'swapRestore'
  | 'checkHealth'
  | 'undoRestore'
  | 'settleRestore'
  | 'releaseRestore'
>;

/** The hands of the restore pipeline. Everything before `swapRestore` leaves the target alone (law 7). */
export function createRestoreSteps(deployment: Deployment): RestoreSteps {
  const { catalog, dataDir } = deployment;

  const run = <T>(plan: RestorePlan, name: string, work: (step: Step, interrupted: boolean) => Promise<T>) =>
    runStep(
      {
        catalog,
        processes: deployment.processes,
        clock: deployment.clock,
        attempted: `restore ${plan.restoreId} of ${plan.asset} failed in ${name}`,
        key: `${plan.restoreId}.${name}`,
        job: null,
        subject: `restore/${plan.restoreId}`,
      },
      work,
    );

  return {
    checkRestoreTarget: (plan) =>
      run(plan, 'target check', async (step) => {
        const { configuration, asset, source } = await subject(deployment, plan);
        const target = await source.resolveTarget(asset, plan.to);
        const kept = configuration.repositories.map(({ url }) => localFolderOf(url));
        if (asset.type !== 'postgres')
          await refuseReserved(
            target.location,
            kept.filter((folder) => folder !== null),
          );
        await source.checkTarget(asset, target, plan.bytes, step);
      }),

    stageRestore: (plan) =>
      run(plan, 'staging', async (step, interrupted) => {
        const { configuration } = await subject(deployment, plan);
        const repository = await openUnderLease(deployment, configuration, plan.repository, plan.fences);
        if (interrupted) await repository.recover(step);
        const staged = stagedFolder(dataDir, plan);
        await rm(staged, { recursive: true, force: true });
        await mkdir(staged, { recursive: true, mode: 0o700 });
        const point = await catalog.points.find(plan.point);
        const copy = copyIn(point, plan.repository);
        const startedAt = deployment.clock().getTime();
        await restoreParts(deployment, repository, point, copy, staged, plan.include, step);
        const measured = {
          run: plan.restoreId,
          asset: plan.asset,
          step: 'prepare',
          bytes: point.bytes,
        } as const;
        await recordDuration(deployment, measured, startedAt);
      }),

    validateRestore: (plan) =>
      run(plan, 'validation', async (step) => {
        const { asset, source } = await subject(deployment, plan);
        const order = await orderOf(deployment, plan, asset, source);
        return withWorkspace(dataDir, asset.name, `${plan.restoreId}.validation`, async (workspace) => {
          const seen: { integrity?: DrillIntegrity } = {};
          const report = await source.rehearse(
            ...([asset, order.restored, order.manifest, workspace, step] as const),
            async (rehearsed) => {
              seen.integrity = integrityOf(rehearsed);
            },
          );
          return { ...report, ...seen };
        });
      }),

    previewRestore: (plan) =>
      run(plan, 'preview', async (step) => {
        const { asset, source } = await subject(deployment, plan);
        const order = await orderOf(deployment, plan, asset, source);
        const impact = await withWorkspace(dataDir, asset.name, `${plan.restoreId}.preview`, (workspace) =>
          source.impact(asset, order, workspace, step),
        );
        const shown = (commands: readonly string[][]) => commands.map((command) => command.join(' '));
        const estimate =
          (await catalog.durations.estimate(asset.name, 'restore', plan.bytes)) ??
          (await catalog.durations.estimate(asset.name, 'rehearse', plan.bytes));
        return {
          impact: {
            ...impact,
            warnings: [...impact.warnings, ...(order.target.inPlace ? whatIsNotStopped(asset) : [])],
            stops: order.target.inPlace ? shown(asset.restore.stop) : [],
            starts: order.target.inPlace ? shown(asset.restore.start) : [],
          },
          estimateSeconds: estimate?.seconds ?? null,
        };
      }),

    repairForSafety: (plan) =>
      run(plan, 'repair', async (step, interrupted) => {
        const { configuration } = await subject(deployment, plan);
        const name = plan.safetyRepository ?? plan.repository;
        const repository = await openUnderLease(deployment, configuration, name, plan.fences);
        if (interrupted) await repository.recover(step);
        await repairIfDamaged(deployment, repository, step);
      }),

    takeSafetyPoint: (plan) =>
      run(plan, 'safety point', async (step, interrupted) => {
        const { configuration, asset, source } = await subject(deployment, plan);
        const order = await orderOf(deployment, plan, asset, source);
        const policy = policyWith(configuration, asset.name);
        const name = plan.safetyRepository ?? policy?.repository ?? plan.repository;
        const repository = await openUnderLease(deployment, configuration, name, plan.fences);
        return storeSafetyPoint(
          deployment,
          {
            before: `the restore of ${asset.name}`,
            repair: `restore beside with --to, or have ${name} repaired by a backup or sync into it`,
            ...{ asset, source, repository },
            target: order.target,
            policy: policy?.name ?? null,
            safetyPoint: plan.safetyPoint,
            scratch: `${plan.restoreId}.safety`,
          },
          step,
          interrupted,
        );
      }),

    runRestoreCommands: async (plan) => {
      const { configuration, asset } = await subject(deployment, plan);
      const commands = plan.to === null ? asset.restore[plan.which] : [];
      if (commands.length === 0) return;
      await run(plan, `${plan.which} commands`, async (step) => {
        for (const command of commands) {
          await runHook(command, { folder: configuration.folder, onError: 'fail' }, step);
        }
      });
    },

    swapRestore: (plan) =>
      run(plan, 'swap', async (step) => {
        const { asset, source } = await subject(deployment, plan);
        await source.swap(asset, await orderOf(deployment, plan, asset, source), step);
      }),

    checkHealth: async (plan) => {
      const { configuration, asset, source } = await subject(deployment, plan);
      const checks = plan.to === null ? asset.restore.health : [];
      if (checks.length === 0) return;
      await run(plan, 'health check', async (step) => {
        const { target } = await orderOf(deployment, plan, asset, source);
        const ask = (sql: string) => source.holds(asset, target, sql, step);
        for (const check of checks) await checkHealthOf(check, { folder: configuration.folder, ask }, step);
      });
    },

    undoRestore: (plan) =>
      run(plan, 'rolling back', async (step) => {
        const { asset, source } = await subject(deployment, plan);
        await source.undo(asset, await orderOf(deployment, plan, asset, source), step);
      }),

    settleRestore: (plan) =>
      run(plan, 'clearing what was set aside', async (step) => {
        const { asset, source } = await subject(deployment, plan);
        await source.settle(asset, await orderOf(deployment, plan, asset, source), step);
      }),

    releaseRestore: (plan) =>
      run(plan, 'clearing staging', async () => {
        await rm(folders.restore(dataDir, plan.restoreId), { recursive: true, force: true });
      }),
  };
}

function whatIsNotStopped(asset: Asset): string[] {
  if (asset.type !== 'postgres' || asset.restore.stop.length > 0) return [];
  return [
    'nothing is stopped: what is written between the safety point and the swap will be in neither (name what writes under restore.stop)',
  ];
}

interface Subject {
  configuration: Configuration;
  asset: Asset;
  source: Source<Asset>;
}

async function subject(deployment: Deployment, plan: RestorePlan): Promise<Subject> {
  const configuration = await configurationOf(deployment, plan.configuration);
  const asset = assetOf(configuration, plan.asset);
  return { configuration, asset, source: deployment.sourceOf(asset) };
}

/** The same order at every step and every attempt: nothing of it is remembered but what lies on disk. */
async function orderOf(
  deployment: Deployment,
  plan: RestorePlan,
  asset: Asset,
  source: Source<Asset>,
): Promise<RestoreOrder> {
  const point = await deployment.catalog.points.find(plan.point);
  const staged = stagedFolder(deployment.dataDir, plan);
  const journal = join(folders.restore(deployment.dataDir, plan.restoreId), 'journal');
  await mkdir(journal, { recursive: true, mode: 0o700 });
  const parts = dataParts(copyIn(point, plan.repository));
  return {
    restoreId: plan.restoreId,
    target: await source.resolveTarget(asset, plan.to),
    restored: Object.fromEntries(parts.map((part) => [part.name, join(staged, part.name)])),
    include: plan.include,
    manifest: manifestFor(point.manifest, plan.include),
    journal,
  };
}

/** A selection cannot equal the manifest of the whole; its bytes were checked by the engine as it restored. */
function manifestFor(manifest: Manifest | null, include: readonly string[]): Manifest | null {
  return include.length > 0 ? null : manifest;
}

function stagedFolder(dataDir: string, plan: RestorePlan): string {
  return join(folders.restore(dataDir, plan.restoreId), 'staged');
}
