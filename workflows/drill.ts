import { CancelledFailure, defineSearchAttributeKey } from '@temporalio/common';
import { CancellationScope, isCancellation, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import type { DrillPlan, RecordedEvidence } from '../activities/contract.ts';
import { lostRecord } from '../domain/drills/plan.ts';
import type { DrillRecord } from '../domain/evidence/record.ts';
import type { Failure, JobStatus } from '../domain/job.ts';
import { leaseHolder, type LeaseHolder } from './lease-holder.ts';
import { phase, type DrillInput } from './messages.ts';
import { labelDrill } from './search-attributes.ts';
import { controlSteps, evidenceSteps, failureOf, longSteps } from './steps.ts';

/**
 * A rehearsal of a loss: what a drill names is rebuilt in a clean room from one copy alone, checked, measured and
 * taken down, and what it showed is signed. However it ends but by a cancel there is one piece of evidence: also a
 * room that was too small, and a worker that died at every attempt.
 */
export async function drill(input: DrillInput): Promise<{ drillId: string; status: JobStatus }> {
  const drillId = input.drillId ?? uuid4();
  const actor = input.actor ?? 'schedule';
  const control = controlSteps(input.drill);
  const leases = leaseHolder({ jobId: drillId });
  let now = 'choosing points';
  setHandler(phase, () => {
    const waitsFor = leases.waitsFor();
    return waitsFor === null ? now : `waiting for ${waitsFor}`;
  });
  const end = (facts: { record?: DrillRecord; evidence?: RecordedEvidence; error?: Failure | null }) =>
    CancellationScope.nonCancellable(() =>
      control.endDrill({
        ...{ drillId, actor, record: facts.record ?? null },
        ...{ evidence: facts.evidence ?? null, error: facts.error ?? null },
      }),
    );

  let plan: DrillPlan;
  try {
    plan = await CancellationScope.nonCancellable(() =>
      control.beginDrill({
        ...{ drillId, actor, drill: input.drill, workflowId: workflowInfo().workflowId },
        trigger: input.trigger ?? 'schedule',
        dueAt: workflowInfo().typedSearchAttributes.get(scheduledFor)?.toISOString() ?? null,
      }),
    );
  } catch (error) {
    // Whoever asked for it may have put its row there already; a scheduled run has none to end.
    await end({ error: failureOf(error) }).catch(failureOf);
    throw error;
  }
  const assets = plan.record.assets.map(({ asset }) => asset);
  labelDrill(assets, 'running');
  now = 'in the clean room';
  const record = await heldOrLost(leases, plan);
  if (record === null) {
    await end({});
    labelDrill(assets, 'cancelled');
    throw new CancelledFailure('the drill was cancelled');
  }
  now = 'signing the evidence';
  const status = await CancellationScope.nonCancellable(async () => {
    let evidence: RecordedEvidence;
    try {
      const signing = evidenceSteps(plan.hostQueue, `evidence of ${plan.drill}`);
      evidence = await signing.recordEvidence({ record, folder: null, actor });
    } catch (error) {
      return end({ record, error: failureOf(error) });
    }
    return end({ record, evidence });
  });
  labelDrill(assets, status);
  return { drillId, status };
}

const scheduledFor = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/** null: it was cancelled. The room is gone in any case. */
async function heldOrLost(leases: LeaseHolder, plan: DrillPlan): Promise<DrillRecord | null> {
  const steps = longSteps(plan.hostQueue, `${plan.drill} from ${plan.repository}`);
  try {
    return await leases.hold([plan.repository], 'shared', () => steps.holdDrill(plan));
  } catch (error) {
    const cancelled = isCancellation(error) || CancellationScope.current().consideredCancelled;
    const left = await CancellationScope.nonCancellable(() => steps.clearDrill(plan)).then(
      () => null,
      failureOf,
    );
    if (cancelled) return null;
    const failure = failureOf(error);
    const cause = left ? `${failure.cause}; and clearing up failed: ${left.message}` : failure.cause;
    return lostRecord(plan.record, { ...failure, cause }, new Date().toISOString());
  }
}
