import { CancellationScope, patched, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import type { AssetOutcome, CadencePlan, JobPlan } from '../activities/contract.ts';
import { statusOfEndedJob, type AssetStatus, type Failure, type JobStatus } from '../domain/job.ts';
import { assetsOf, beginJob, cancelledUnlessDone, endJob, endStopped } from './job-row.ts';
import { leaseHolder, type LeaseHolder } from './lease-holder.ts';
import { phase, type VerifyCadenceInput } from './messages.ts';
import { untilOpen } from './window.ts';
import { labelJob } from './search-attributes.ts';
import { controlSteps, failureOf, longSteps } from './steps.ts';

/**
 * One run of a policy's verification cadence: reads the groups of its repositories that are due, whoever the
 * bytes in them belong to, then rehearses the assets whose proof is old. Repositories are read one after another:
 * it is not urgent, and backups go on beside it.
 */
export async function verifyCadence(
  input: VerifyCadenceInput,
): Promise<{ jobId: string; status: JobStatus }> {
  const jobId = input.jobId ?? uuid4();
  const leases = leaseHolder({ jobId, unleased: !patched('lease') });
  let now = 'beginning';
  setHandler(phase, () => {
    const waitsFor = leases.waitsFor();
    return waitsFor === null ? now : `waiting for ${waitsFor}`;
  });
  now = 'waiting for its window';
  await untilOpen(input.window);
  now = 'beginning';
  const job = await beginJob({
    jobId,
    workflowId: workflowInfo().workflowId,
    type: 'verify',
    policy: input.policy,
    trigger: input.trigger ?? 'schedule',
    actor: input.actor ?? 'schedule',
    assets: [],
  });
  if (job.refused) return { jobId: job.jobId, status: 'cancelled' };
  labelJob('verify', job.policy, assetsOf(job), 'running');
  const statuses: AssetStatus[] = [];
  let error: Failure | null = null;
  try {
    const due = await controlSteps(job.policy).planVerification(scopeOf(job));
    const found: Findings = { hurt: new Map(), everywhere: null, nobody: null };
    for (const repository of due.repositories) {
      now = `reading ${repository.repository}`;
      await readRepository(leases, job, repository, found);
    }
    for (const site of job.sites) {
      for (const asset of site.assets) {
        now = `verifying ${asset}`;
        statuses.push(
          job.ended?.[asset] ?? (await endOneAsset(leases, job, site.hostQueue, asset, due, found)),
        );
      }
    }
    error = found.nobody;
    cancelledUnlessDone(statuses);
  } catch (caught) {
    throw await endStopped('verify', job, caught);
  }
  const status = statusOfEndedJob(statuses);
  return endJob('verify', job, status === 'success' && error ? 'warning' : status, error);
}

/** What went wrong with the readings: by asset, for all of them, and damage that no asset of the policy is hurt by. */
interface Findings {
  hurt: Map<string, Failure>;
  everywhere: Failure | null;
  nobody: Failure | null;
}

/** Every group is read although an earlier one was damaged: the reader needs the whole extent. */
async function readRepository(
  leases: LeaseHolder,
  job: JobPlan,
  { repository, groups, readings }: CadencePlan['repositories'][number],
  found: Findings,
): Promise<void> {
  const steps = longSteps(job.sites[0]?.hostQueue ?? '', repository);
  try {
    for (const reading of readings) {
      const { failure, assets } = await leases.hold([repository], 'shared', () =>
        steps.readGroup({ ...scopeOf(job), repository, ...reading }),
      );
      for (const asset of assets) if (failure && !found.hurt.has(asset)) found.hurt.set(asset, failure);
      if (failure && assets.length === 0) found.nobody ??= failure;
    }
    await steps.endReadingCycle({ ...scopeOf(job), repository, groups });
  } catch (caught) {
    // What could not be read concerns whoever has bytes there, and those are all of the policy's assets.
    found.everywhere ??= failureOf(caught);
  }
}

/** Well is what nothing of was found damaged, and whose due rehearsal passed; one of damaged bytes is spared it. */
async function endOneAsset(
  leases: LeaseHolder,
  job: JobPlan,
  hostQueue: string,
  asset: string,
  due: CadencePlan,
  found: Findings,
): Promise<AssetStatus> {
  const step = { ...scopeOf(job), asset };
  const rehearsal = due.rehearsals.find((one) => one.asset === asset);
  const outcome: AssetOutcome = {
    status: 'success',
    recoveryPointId: null,
    proof: null,
    error: found.hurt.get(asset) ?? found.everywhere,
  };
  await controlSteps(asset).beginAsset(step);
  if (rehearsal && !found.hurt.has(asset)) {
    const { point, repository } = rehearsal;
    try {
      await leases.hold([repository], 'shared', () =>
        longSteps(hostQueue, `${asset} from ${repository}`).provePoint({ ...step, point, repository }),
      );
      outcome.recoveryPointId = point;
      outcome.proof = 'proven';
    } catch (caught) {
      outcome.error ??= failureOf(caught);
    }
  }
  const nothingDue = due.repositories.length === 0 && !rehearsal;
  outcome.status = outcome.error ? 'failed' : nothingDue ? 'skipped' : 'success';
  await CancellationScope.nonCancellable(() => controlSteps(asset).endAsset({ ...step, outcome }));
  return outcome.status;
}

function scopeOf(job: JobPlan) {
  return { jobId: job.jobId, configuration: job.configuration, policy: job.policy };
}
