import {
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  setHandler,
  sleep,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { AssetOutcome, DueCopy, JobPlan, SitePlan } from '../activities/contract.ts';
import { statusOfEndedJob, type AssetStatus, type JobStatus } from '../domain/job.ts';
import { assetsOf, beginJob, cancelledUnlessDone, endJob, endStopped } from './job-row.ts';
import { leaseHolder, type LeaseHolder } from './lease-holder.ts';
import { phase, type SyncInput } from './messages.ts';
import { repairFirst } from './repair-first.ts';
import { labelJob } from './search-attributes.ts';
import { controlSteps, failureOf, longSteps, planningSteps } from './steps.ts';

/**
 * One run of one copy of a policy: what has not arrived there travels, the newest of each asset first, until
 * nothing is left. One bad asset never stops the others (law 1), and a used up budget is waited for: meanwhile
 * backups go on, and what they add is planned in afterwards.
 */
export async function sync(input: SyncInput): Promise<{ jobId: string; status: JobStatus }> {
  const jobId = input.jobId ?? uuid4();
  const { repository } = input;
  const leases = leaseHolder({ jobId });
  let now = 'beginning';
  setHandler(phase, () => {
    const waitsFor = leases.waitsFor();
    return waitsFor === null ? now : `waiting for ${waitsFor}`;
  });
  const plan = await beginJob({
    jobId,
    workflowId: workflowInfo().workflowId,
    type: 'sync',
    policy: input.policy,
    trigger: input.trigger ?? 'schedule',
    actor: input.actor ?? 'schedule',
    assets: [],
    repository,
  });
  if (plan.refused) return { jobId: plan.jobId, status: 'cancelled' };
  labelJob('sync', plan.policy, assetsOf(plan), 'running');

  const outcomes = new Map(Object.entries(input.outcomes ?? {}));
  const gone = new Set<string>();
  let statuses: AssetStatus[];
  try {
    for (;;) {
      const failed = [...outcomes].filter(([, { error }]) => error !== null).map(([asset]) => asset);
      const without = [...failed, ...Object.keys(plan.ended ?? {})];
      const due = await planningSteps(plan.policy).planSync({ ...scopeOf(plan), repository, without });
      if (due.length === 0) break;
      const goesOnAt = await sendEach(due);
      if (workflowInfo().continueAsNewSuggested)
        await continueAsNew<typeof sync>({ ...input, jobId, outcomes: Object.fromEntries(outcomes) });
      if (goesOnAt !== null) await untilBudget(goesOnAt);
    }
    statuses = await Promise.all(
      assetsOf(plan).map((asset) => endOneAsset(plan, asset, outcomes.get(asset))),
    );
    cancelledUnlessDone(statuses);
  } catch (error) {
    // The job goes on in the next run.
    if (error instanceof ContinueAsNew) throw error;
    throw await endStopped('sync', plan, error);
  }
  return endJob('sync', plan, statusOfEndedJob(statuses), null);

  /** Returns when the day's budget allows the next one; null: each was tried. */
  async function sendEach(due: readonly DueCopy[]): Promise<string | null> {
    for (const { asset, point, damaged } of due) {
      const before = outcomes.get(asset) ?? NOTHING_DONE;
      if (before.error) continue;
      const site = plan.sites.find(({ assets }) => assets.includes(asset));
      if (!site) continue;
      now = `sending ${asset} to ${repository}`;
      try {
        await controlSteps(asset).beginAsset({ ...scopeOf(plan), asset });
        const goesOnAt = await send(
          leases,
          plan,
          site,
          { asset, point, ...(damaged && { damaged }) },
          repository,
        );
        if (goesOnAt !== null) return goesOnAt;
        outcomes.set(asset, {
          ...before,
          status: 'success',
          recoveryPointId: before.recoveryPointId ?? point,
        });
      } catch (error) {
        const failure = failureOf(error);
        if (failure.code === 'point.unknown' && !gone.has(point)) {
          // Retention took it away between the plan and its turn: that is no failure, unless it is planned again.
          gone.add(point);
          continue;
        }
        outcomes.set(asset, { ...before, status: 'failed', error: failure });
      }
    }
    return null;
  }

  async function untilBudget(goesOnAt: string): Promise<void> {
    now = `waiting for the upload budget of ${repository}, until ${goesOnAt}`;
    labelJob('sync', plan.policy, assetsOf(plan), 'waiting');
    // The worker's clock may be a little behind Temporal's.
    await sleep(Math.max(1000, Date.parse(goesOnAt) - Date.now()));
    labelJob('sync', plan.policy, assetsOf(plan), 'running');
  }
}

/** Returns when to ask again, as the day's upload budget is used up; null: it has arrived. */
async function send(
  leases: LeaseHolder,
  plan: JobPlan,
  site: SitePlan,
  { asset, point, damaged }: DueCopy,
  to: string,
): Promise<string | null> {
  const scope = { ...scopeOf(plan), asset };
  const steps = longSteps(site.hostQueue, `${asset} → ${to}`);
  const { goesOnAt } = await steps.guardUpload({ ...scope, repository: to, step: 'copy', point });
  if (goesOnAt !== null) return goesOnAt;
  const repaired = await repairFirst(leases, site.hostQueue, scope, to);
  // A plan from before this says of nothing that it is damaged.
  if (damaged)
    await leases.hold([to], 'exclusive', (fences) =>
      steps.clearDamagedCopy({ ...scope, fences, point, from: plan.repository, to }),
    );
  await leases.hold([plan.repository, to], 'shared', (fences) =>
    steps.copyPoint({ ...scope, fences, point, from: plan.repository, to, repaired }),
  );
  return null;
}

/** One of which nothing was due is passed over. */
async function endOneAsset(
  plan: JobPlan,
  asset: string,
  found: AssetOutcome | undefined,
): Promise<AssetStatus> {
  const ended = plan.ended?.[asset];
  if (ended) return ended;
  const outcome = found ?? NOTHING_DONE;
  await CancellationScope.nonCancellable(() =>
    controlSteps(asset).endAsset({ ...scopeOf(plan), asset, outcome }),
  );
  return outcome.status;
}

const NOTHING_DONE: AssetOutcome = { status: 'skipped', recoveryPointId: null, proof: null, error: null };

function scopeOf({ jobId, configuration, policy }: JobPlan) {
  return { jobId, configuration, policy };
}
