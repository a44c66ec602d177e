import { CancellationScope, patched, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import type { AssetOutcome, AssetStep, JobPlan, PointStep, SitePlan } from '../activities/contract.ts';
import { statusOfEndedJob, type AssetStatus, type Failure, type JobStatus } from '../domain/job.ts';
import type { Proof } from '../domain/proof.ts';
import { assetsOf, beginJob, cancelledUnlessDone, endJob, endStopped } from './job-row.ts';
import { copyTo, guard, readyFirst } from './guard.ts';
import { leaseHolder, type LeaseHolder } from './lease-holder.ts';
import { phase, type BackupInput } from './messages.ts';
import { repairFirst } from './repair-first.ts';
import { labelJob } from './search-attributes.ts';
import { SiteTurn, type Lend } from './site-turn.ts';
import { commandSteps, controlSteps, failureOf, longSteps, quickSteps } from './steps.ts';

/**
 * One backup of one policy: every asset is captured, stored, copied and proven as the policy asks. Assets
 * of a site run one after another, sites side by side; one bad asset never stops its siblings (law 1).
 */
export async function backup(input: BackupInput): Promise<{ jobId: string; status: JobStatus }> {
  const jobId = input.jobId ?? uuid4();
  const leases = leaseHolder({ jobId, unleased: !patched('lease') });
  let now = 'beginning';
  setHandler(phase, () => {
    const waitsFor = leases.waitsFor();
    return waitsFor === null ? now : `waiting for ${waitsFor}`;
  });
  const plan = await beginJob({
    jobId,
    workflowId: workflowInfo().workflowId,
    type: 'backup',
    policy: input.policy,
    trigger: input.trigger ?? 'schedule',
    actor: input.actor ?? 'schedule',
    assets: input.assets ?? [],
    ...(input.tags && { tags: input.tags }),
  });
  if (plan.refused) return { jobId: plan.jobId, status: 'cancelled' };
  labelJob('backup', plan.policy, assetsOf(plan), 'running');

  const statuses: AssetStatus[] = [];
  try {
    const assets = await Promise.allSettled(
      plan.sites.flatMap((site) => {
        const turn = new SiteTurn();
        return site.assets.map((asset) =>
          turn.take(async (lend) => {
            now = `backing up ${asset}`;
            statuses.push(plan.ended?.[asset] ?? (await backUpAsset(leases, plan, site, asset, lend)));
          }),
        );
      }),
    );
    const stopped = assets.find((asset) => asset.status === 'rejected');
    if (stopped) throw stopped.reason;
    cancelledUnlessDone(statuses);
  } catch (error) {
    throw await endStopped('backup', plan, error);
  }
  return endJob('backup', plan, statusOfEndedJob(statuses), null);
}

async function backUpAsset(
  leases: LeaseHolder,
  plan: JobPlan,
  site: SitePlan,
  asset: string,
  lend: Lend,
): Promise<AssetStatus> {
  const step = { jobId: plan.jobId, configuration: plan.configuration, policy: plan.policy, asset };
  const point = plan.points?.[asset] ?? uuid4();
  const control = controlSteps(asset);
  const outcome: AssetOutcome = { status: 'success', recoveryPointId: null, proof: null, error: null };
  await control.beginAsset(step);

  try {
    await quickSteps(site.hostQueue, asset).preflightAsset(step);
    await guard(plan, site, { ...step, repository: plan.repository, step: 'store', point: null }, lend);
    const hooked = plan.hooked?.includes(asset) ?? true;
    const snapshot = await withHooks(hooked ? site : null, step, async () => {
      const repaired = await repairFirst(leases, site.hostQueue, step, plan.repository);
      const stored = await leases.hold([plan.repository], 'shared', (fences) =>
        longSteps(site.hostQueue, asset).snapshotAsset({
          ...step,
          fences,
          point,
          repository: plan.repository,
          manifest: plan.proof !== 'stored' || (plan.drilled?.includes(asset) ?? false),
          ...(repaired && { repaired }),
          ...(plan.tags && { tags: plan.tags }),
        }),
      );
      outcome.recoveryPointId = point;
      outcome.proof = 'stored';
      return stored;
    });
    outcome.error = snapshot.partial;

    const copies = await copyEverywhere(leases, plan, site, { ...step, point }, lend);
    outcome.error ??= copies.error;
    if (!snapshot.partial)
      outcome.proof = await proveFrom(leases, copies.last, plan, site, { ...step, point });
  } catch (error) {
    outcome.error = failureOf(error);
  }
  if (outcome.error) outcome.status = 'failed';
  await CancellationScope.nonCancellable(() => control.endAsset({ ...step, outcome }));
  return outcome.status;
}

/** The hooks after run whatever happened in between, also on a cancel: they undo what those before did. */
async function withHooks<T>(site: SitePlan | null, step: AssetStep, work: () => Promise<T>): Promise<T> {
  if (!site) return work();
  const hooks = commandSteps(site.hostQueue, step.asset);
  const after = () => CancellationScope.nonCancellable(() => hooks.runHooks({ ...step, when: 'after' }));
  let done: T;
  try {
    await hooks.runHooks({ ...step, when: 'before' });
    done = await work();
  } catch (error) {
    // What stopped the backup is what has to be told; a failing hook after it is in the job's events.
    await after().catch(failureOf);
    throw error;
  }
  await after();
  return done;
}

/** Every copy is tried, whatever became of the one before; the first failure is the one that is told. */
async function copyEverywhere(
  leases: LeaseHolder,
  plan: JobPlan,
  site: SitePlan,
  step: PointStep,
  lend: Lend,
): Promise<{ last: string; error: Failure | null }> {
  let last = plan.repository;
  let error: Failure | null = null;
  for (const to of await readyFirst(plan, site, step)) {
    try {
      await guard(plan, site, copyTo(to, step), lend);
      const steps = longSteps(site.hostQueue, `${step.asset} → ${to}`);
      const { point: _, ...scope } = step;
      const repaired = await repairFirst(leases, site.hostQueue, scope, to);
      await leases.hold([plan.repository, to], 'shared', (fences) =>
        steps.copyPoint({ ...step, fences, from: plan.repository, to, ...(repaired && { repaired }) }),
      );
      last = to;
    } catch (caught) {
      error ??= failureOf(caught);
    }
  }
  return { last, error };
}

async function proveFrom(
  leases: LeaseHolder,
  repository: string,
  plan: JobPlan,
  site: SitePlan,
  step: PointStep,
): Promise<Proof> {
  if (plan.proof === 'stored') return plan.proof;
  const steps = longSteps(site.hostQueue, `${step.asset} from ${repository}`);
  await leases.hold([repository], 'shared', async () => {
    if (plan.proof === 'verified') await steps.verifyPoints({ ...step, points: [step.point], repository });
    if (plan.proof === 'proven') await steps.provePoint({ ...step, repository });
  });
  return plan.proof;
}
