import type { PolicyPause } from '../catalog/index.ts';
import { assetsOf, policyOf, policyWith } from '../domain/chosen.ts';
import { assetsOfDrill } from '../domain/drills/scope.ts';
import { copiesWithBackup, everyCopyOf } from '../domain/copies/policy-copies.ts';
import type { Configuration } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import { proofOfCopy, type Proof } from '../domain/proof.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import { isFinal, type Impact } from '../domain/restore.ts';
import { asFailure } from './activity-step.ts';
import type { BeginJob, BeginRestore, ControlActivities, JobPlan } from './contract.ts';
import { derivedId } from './derived-id.ts';
import { assetOf, type Deployment } from './deployment.ts';
import { beginControlPlane } from './control-plane/begin.ts';
import { beginDrill, endDrill } from './drills/drill-control.ts';
import { createGameDayControl } from './drills/game-day-steps.ts';
import { sayWhatWasLeftOut } from './overrun.ts';
import { pointsToVerify } from './points-to-verify.ts';
import { planCopies } from './plan-copies.ts';
import { planCadenceRun } from './plan-verification.ts';
import { createLeaseSteps } from './lease-steps.ts';

/** The steps that only read and write the catalogue. */
export function createControlSteps(deployment: Deployment): ControlActivities {
  const { catalog } = deployment;
  const steps: ControlActivities = {
    beginJob: (input) => beginJob(deployment, input),
    beginDrill: (input) => beginDrill(deployment, input),
    endDrill: (input) => endDrill(deployment, input),
    beginControlPlane: (input) => beginControlPlane(deployment, input),
    beginAsset: ({ jobId, asset }) => catalog.jobs.setAsset(jobId, asset, { status: 'running' }),
    endAsset: async ({ jobId, asset, outcome }) =>
      catalog.jobs.setAsset(jobId, asset, {
        status: outcome.status,
        error: outcome.error,
        ...(outcome.recoveryPointId && { recoveryPointId: outcome.recoveryPointId }),
        ...(outcome.proof && {
          proof: await proofThatCounts(deployment, outcome.proof, outcome.recoveryPointId),
        }),
      }),
    endJob: async ({ jobId, status, error }) => {
      if (status === 'running' || status === 'waiting') throw new Error(`a job cannot end ${status}`);
      await sayWhatWasLeftOut(deployment, await catalog.jobs.find(jobId), deployment.clock());
      await catalog.jobs.end(jobId, { status, error, endedAt: deployment.clock().toISOString() });
    },
    beginRemoval: async ({ point, repositories, reason, actor }) => {
      await catalog.as(actor).removals.begin(point, repositories, reason);
    },
    ...createLeaseSteps(deployment),
    ...createGameDayControl(deployment),
    needsRepair: async (repository) => (await catalog.repositories.find(repository))?.needsRepair ?? false,
    hostOf: () => Promise.resolve(deployment.hostQueue),
    pointsToVerify: (input) => pointsToVerify(deployment, input),
    planSync: (input) => planCopies(deployment, input),
    planVerification: (input) => planCadenceRun(deployment, input),
    beginRestore: (input) => beginRestore(deployment, input),
    restoreStatus: async ({ restoreId, ...change }) => {
      const endedAt = isFinal(change.status) ? { endedAt: deployment.clock().toISOString() } : {};
      const impact = change.impact && {
        impact: await sayingWhatIsMissing(deployment, restoreId, change.impact),
      };
      await catalog.restores.update(restoreId, { ...change, ...impact, ...endedAt });
      if (change.status === 'completed' && change.measuredSeconds !== undefined) {
        const restore = await catalog.restores.find(restoreId);
        // A few files come back sooner than everything would: nothing is learnt of that.
        if (restore.include.length > 0) return;
        const point = await catalog.points.find(restore.point);
        await catalog.durations.record({
          run: restoreId,
          asset: restore.asset,
          step: 'restore',
          seconds: change.measuredSeconds,
          bytes: point.bytes,
          endedAt: deployment.clock().toISOString(),
        });
      }
    },
  };
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]) => [name, withFailures(name, step as never)]),
  ) as unknown as ControlActivities;
}

/** Reading a partial point back, or restoring it, shows nothing of what it lacks. */
async function proofThatCounts({ catalog }: Deployment, proof: Proof, point: string | null): Promise<Proof> {
  if (proof === 'damaged' || point === null) return proof;
  const { partial } = await catalog.points.find(point);
  return partial === null ? proof : 'stored';
}

/** A person must read it before the commit: what was not read into the point is not there afterwards. */
async function sayingWhatIsMissing(
  { catalog }: Deployment,
  restoreId: string,
  impact: Impact,
): Promise<Impact> {
  const { partial } = await catalog.points.find((await catalog.restores.find(restoreId)).point);
  if (partial === null) return impact;
  return { ...impact, warnings: [`the recovery point is partial: ${partial}`, ...impact.warnings] };
}

function withFailures<I, O>(name: string, step: (input: I) => Promise<O>) {
  return async (input: I): Promise<O> => {
    try {
      return await step(input);
    } catch (error) {
      throw asFailure(error, `the catalogue step ${name} failed`);
    }
  };
}

async function beginJob(deployment: Deployment, input: BeginJob): Promise<JobPlan> {
  const { catalog } = deployment;
  await catalog.clock.note(deployment.clock());
  const applied = await catalog.configurations.current();
  const policy = policyOf(applied?.configuration ?? null, input.policy);
  const assets = assetsOf(policy, input.assets);
  const plan: JobPlan = {
    jobId: input.jobId,
    configuration: applied?.digest ?? '',
    policy: policy.name,
    refused: null,
    sites: [{ site: 'local', hostQueue: deployment.hostQueue, assets }],
    repository: policy.repository,
    copies: input.type === 'backup' ? copiesWithBackup(policy) : everyCopyOf(policy),
    proof: policy.proof,
    points: Object.fromEntries(assets.map((asset) => [asset, derivedId(input.jobId, asset)])),
    hooked: assets.filter((name) => hasHooks(applied?.configuration, name)),
    drilled: drilledOf(applied?.configuration).filter((name) => assets.includes(name)),
  };
  const { jobId: id, workflowId, type, trigger, actor, tags = [], repository = null } = input;
  const paused = trigger === 'schedule' ? (await catalog.policyPauses.open()).get(policy.name) : undefined;
  // One that was begun before goes on: nobody else would end its row.
  if (paused && !(await isBegun(deployment, id)))
    return skipped(deployment, input, plan, whyPaused(policy.name, paused));
  const startedAt = deployment.clock().toISOString();
  try {
    const job = await catalog.as(actor).jobs.begin({
      id,
      workflowId,
      type,
      policy: policy.name,
      trigger,
      startedAt,
      assets,
      tags,
      repository,
    });
    const ended = job.assets.filter(({ status }) => status !== 'pending' && status !== 'running');
    // Of a job that is begun again, those it was begun with.
    if (job.tags.length > 0) plan.tags = job.tags;
    plan.ended = Object.fromEntries(ended.map(({ asset, status }) => [asset, status]));
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'request.conflict') throw error;
    await sayInRunningJob(deployment, input, policy.name);
    return skipped(deployment, input, plan, error);
  }
  return plan;
}

async function isBegun({ catalog }: Deployment, jobId: string): Promise<boolean> {
  try {
    return (await catalog.jobs.find(jobId)).id === jobId;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'notFound') return false;
    throw error;
  }
}

/** It must not run now; that it did not is on record. */
async function skipped(
  { catalog }: Deployment,
  { actor, workflowId }: BeginJob,
  plan: JobPlan,
  error: HoldfastError,
): Promise<JobPlan> {
  const details = { policy: plan.policy, workflowId, because: error.cause };
  await catalog.as(actor).audit.append({ action: 'job.skipped', subject: `policy/${plan.policy}`, details });
  return { ...plan, refused: error.toContract() };
}

function whyPaused(policy: string, { since, by, reason }: PolicyPause): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `the scheduled run of ${policy} was left out`,
    cause: `the policy has been paused since ${since} by ${by}: ${reason}`,
    hint: `\`holdfast policy resume ${policy} --reason …\` lets it run by itself again`,
  });
}

/** Whoever looks at the job that is in the way learns what it kept from beginning. */
async function sayInRunningJob(
  { catalog, clock }: Deployment,
  { type, workflowId, repository }: BeginJob,
  policy: string,
): Promise<void> {
  const { items } = await catalog.jobs.list({ policy, type, status: ['running', 'waiting'] });
  const running = items.find((job) => job.repository === (repository ?? null));
  if (!running) return;
  const message = `the next run (${workflowId}) was skipped: this job is still ${running.status}`;
  const event = {
    at: clock().toISOString(),
    level: 'warning',
    asset: null,
    step: 'schedule',
    message,
  } as const;
  await catalog.jobEvents.append(running.id, [event]);
}

function drilledOf(configuration: Configuration | undefined): string[] {
  return (configuration?.drills ?? []).flatMap((drill) => assetsOfDrill(configuration!, drill));
}

function hasHooks(configuration: Configuration | undefined, name: string): boolean {
  const hooks = configuration?.assets.find((asset) => asset.name === name)?.hooks;
  return hooks !== undefined && hooks.before.length + hooks.after.length > 0;
}

async function beginRestore(deployment: Deployment, input: BeginRestore) {
  const catalog = deployment.catalog.as(input.actor);
  const applied = await catalog.configurations.current();
  if (!applied) policyOf(null, input.asset);
  const configuration = applied!.configuration;
  assetOf(configuration, input.asset);
  const point = await chosenPoint(deployment, input);
  const repository = chosenCopy(point, input, configuration);
  await catalog.restores.update(input.restoreId, {
    point: point.id,
    pointTakenAt: point.takenAt,
    repository,
  });
  return {
    restoreId: input.restoreId,
    configuration: applied!.digest,
    asset: input.asset,
    point: point.id,
    repository,
    safetyRepository: policyWith(configuration, input.asset)?.repository ?? repository,
    include: input.include,
    to: input.to,
    hostQueue: input.hostQueue ?? deployment.hostQueue,
    bytes: point.bytes,
  };
}

async function chosenPoint(deployment: Deployment, input: BeginRestore): Promise<RecoveryPoint> {
  const { points } = deployment.catalog;
  if (input.point !== 'latest') return ownPoint(await points.find(input.point), input.asset);
  const wanted = { ...(input.time && { at: input.time }), ...(input.from && { repository: input.from }) };
  const point = await points.newest(input.asset, wanted);
  if (point) return point;
  throw new HoldfastError({
    code: 'point.unknown',
    message: `there is no recovery point of ${input.asset}${input.time ? ` from ${input.time} or before` : ''}`,
    cause: 'none was taken, or every one is damaged',
    hint: `look with \`holdfast points list --asset ${input.asset}\``,
  });
}

/** The data of one asset must not be put over another's because an id was mistaken. */
function ownPoint(point: RecoveryPoint, asset: string): RecoveryPoint {
  if (point.asset === asset) return point;
  throw new HoldfastError({
    code: 'point.unknown',
    message: `recovery point ${point.id} is not one of ${asset}`,
    cause: `it is of ${point.asset}, taken ${point.takenAt}`,
    hint: `choose one of \`holdfast points list --asset ${asset}\`, or restore ${point.asset} itself`,
  });
}

/** The first undamaged copy in the order they were made: the nearest one. */
function chosenCopy(
  point: RecoveryPoint,
  { from, not = [] }: BeginRestore,
  configuration: Configuration,
): string {
  const configured = new Set(configuration.repositories.map((repository) => repository.name));
  const usable = point.copies.filter(
    (copy) =>
      configured.has(copy.repository) &&
      !not.includes(copy.repository) &&
      (from ? copy.repository === from : proofOfCopy(copy, point) !== 'damaged'),
  );
  const chosen = usable[0];
  if (chosen) return chosen.repository;
  throw new HoldfastError({
    code: 'point.unknown',
    message: `recovery point ${point.id} cannot be restored${from ? ` from ${from}` : ''}`,
    cause: `its copies: ${point.copies.map((copy) => `${copy.repository} (${proofOfCopy(copy, point)})`).join(', ')}`,
    hint: from
      ? 'choose another copy with --from'
      : 'choose another point, or force a damaged copy with --from',
  });
}
