import type { Page, PolicyPause } from '../catalog/index.ts';
import { assetsOf, policyOf, policyWith } from '../domain/chosen.ts';
import type { Configuration, Policy } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import { proofOfCopy, type Proof } from '../domain/proof.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import { isFinal, type Impact } from '../domain/restore.ts';
import { asFailure } from './activity-step.ts';
import type { BeginJob, BeginRestore, ControlActivities, JobPlan, VerifyTarget } from './contract.ts';
import { derivedId } from './derived-id.ts';
import { assetOf, type Deployment } from './deployment.ts';
import { sayWhatWasLeftOut } from './overrun.ts';
import { planCadenceRun } from './plan-verification.ts';
import { createLeaseSteps } from './lease-steps.ts';

/** As many as the catalogue lists at once. */
const POINTS_A_PAGE = 500;

/** The steps that only read and write the catalogue. */
export function createControlSteps(deployment: Deployment): ControlActivities {
  const { catalog } = deployment;
  const steps: ControlActivities = {
    beginJob: (input) => beginJob(deployment, input),
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
    needsRepair: async (repository) => (await catalog.repositories.find(repository))?.needsRepair ?? false,
    hostOf: () => Promise.resolve(deployment.hostQueue),
    pointsToVerify: (input) => pointsToVerify(deployment, input),
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
    copies: policy.copies.map((copy) => copy.repository),
    proof: policy.proof,
    points: Object.fromEntries(assets.map((asset) => [asset, derivedId(input.jobId, asset)])),
    hooked: assets.filter((name) => hasHooks(applied?.configuration, name)),
  };
  const { jobId: id, workflowId, type, trigger, actor } = input;
  const paused = trigger === 'schedule' ? (await catalog.policyPauses.open()).get(policy.name) : undefined;
  if (paused) return skipped(deployment, input, plan, whyPaused(policy.name, paused));
  const startedAt = deployment.clock().toISOString();
  try {
    const job = await catalog
      .as(actor)
      .jobs.begin({ id, workflowId, type, policy: policy.name, trigger, startedAt, assets });
    const ended = job.assets.filter(({ status }) => status !== 'pending' && status !== 'running');
    plan.ended = Object.fromEntries(ended.map(({ asset, status }) => [asset, status]));
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'request.conflict') throw error;
    await sayInRunningJob(deployment, policy.name, workflowId);
    return skipped(deployment, input, plan, error);
  }
  return plan;
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
  policy: string,
  skipped: string,
): Promise<void> {
  const { items } = await catalog.jobs.list({
    policy,
    type: 'backup',
    status: ['running', 'waiting'],
    limit: 1,
  });
  const [running] = items;
  if (!running) return;
  const message = `the next run (${skipped}) was skipped: this job is still ${running.status}`;
  const event = {
    at: clock().toISOString(),
    level: 'warning',
    asset: null,
    step: 'schedule',
    message,
  } as const;
  await catalog.jobEvents.append(running.id, [event]);
}

function hasHooks(configuration: Configuration | undefined, name: string): boolean {
  const hooks = configuration?.assets.find((asset) => asset.name === name)?.hooks;
  return hooks !== undefined && hooks.before.length + hooks.after.length > 0;
}

async function pointsToVerify(
  deployment: Deployment,
  input: Parameters<ControlActivities['pointsToVerify']>[0],
): Promise<VerifyTarget[]> {
  const { catalog } = deployment;
  const applied = await catalog.configurations.find(input.configuration);
  const policy = policyOf(applied.configuration, input.policy);
  const configured = new Set(applied.configuration.repositories.map((repository) => repository.name));
  const points = await wantedPoints(deployment, policy.assets, input);
  const targets = new Map<string, VerifyTarget>();
  const toRehearse = policy.proof === 'proven' ? newestWhole(points) : new Set<RecoveryPoint>();
  for (const point of points) {
    const repositories = point.copies.map((copy) => copy.repository).filter((name) => configured.has(name));
    if (input.points.length > 0) refuseUnreadable(point, policy, repositories);
    for (const repository of repositories) {
      const key = JSON.stringify([point.asset, repository]);
      const target = targets.get(key) ?? { asset: point.asset, repository, points: [], rehearse: null };
      target.points.push(point.id);
      if (toRehearse.has(point) && repository === repositories.at(-1)) target.rehearse = point.id;
      targets.set(key, target);
    }
  }
  return [...targets.values()];
}

/** Of each asset one: a rehearsal of a partial point would fail for what it is known to lack. */
function newestWhole(points: readonly RecoveryPoint[]): Set<RecoveryPoint> {
  const newest = new Map<string, RecoveryPoint>();
  for (const point of points) {
    const known = newest.get(point.asset);
    if (point.partial === null && (!known || point.takenAt > known.takenAt)) newest.set(point.asset, point);
  }
  return new Set(newest.values());
}

/** Somebody asked for this very point: a job that read nothing of it must not end as a success. */
function refuseUnreadable(point: RecoveryPoint, policy: Policy, repositories: readonly string[]): void {
  const ofPolicy = policy.assets.includes(point.asset);
  if (ofPolicy && repositories.length > 0) return;
  const kept = point.copies.map((copy) => copy.repository).join(', ');
  throw new HoldfastError({
    code: 'point.unknown',
    message: `recovery point ${point.id} cannot be verified with policy ${policy.name}`,
    cause: ofPolicy
      ? `it is kept in ${kept}, which the applied configuration does not have`
      : `it is of ${point.asset}, and the policy has ${policy.assets.join(', ')}`,
    hint: ofPolicy
      ? 'add the repository to the configuration again, then `holdfast apply`'
      : `name the policy that has ${point.asset}, or choose a point with \`holdfast points list\``,
  });
}

async function wantedPoints(
  deployment: Deployment,
  assets: readonly string[],
  { points: references, all }: { points: string[]; all: boolean },
): Promise<RecoveryPoint[]> {
  const { points } = deployment.catalog;
  if (references.length > 0) return Promise.all(references.map((reference) => points.find(reference)));
  const wanted = all ? everyOf : newestOf;
  return (await Promise.all(assets.map((asset) => wanted(deployment, asset)))).flat();
}

async function everyOf({ catalog: { points } }: Deployment, asset: string): Promise<RecoveryPoint[]> {
  const every: RecoveryPoint[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<RecoveryPoint> = await points.list({
      asset,
      kind: 'regular',
      limit: POINTS_A_PAGE,
      cursor,
    });
    every.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return every;
}

/** A partial point cannot be rehearsed: with it comes the newest whole one, which can. */
async function newestOf({ catalog: { points } }: Deployment, asset: string): Promise<RecoveryPoint[]> {
  const { items } = await points.list({ asset, kind: 'regular', limit: 1 });
  if (!items[0]?.partial) return items;
  const whole = await points.newest(asset);
  return whole && whole.id !== items[0].id ? [...items, whole] : items;
}

async function beginRestore(deployment: Deployment, input: BeginRestore) {
  const catalog = deployment.catalog.as(input.actor);
  const applied = await catalog.configurations.current();
  if (!applied) policyOf(null, input.asset);
  const configuration = applied!.configuration;
  assetOf(configuration, input.asset);
  const point = await chosenPoint(deployment, input);
  const repository = chosenCopy(point, input.from, configuration);
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
    hostQueue: deployment.hostQueue,
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
function chosenCopy(point: RecoveryPoint, from: string | null, configuration: Configuration): string {
  const configured = new Set(configuration.repositories.map((repository) => repository.name));
  const usable = point.copies.filter(
    (copy) =>
      configured.has(copy.repository) &&
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
