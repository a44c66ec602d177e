import { defineSearchAttributeKey } from '@temporalio/common';
import { CancellationScope, isCancellation, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import type { DrillPlan } from '../activities/contract.ts';
import { lostRecord } from '../domain/drills/plan.ts';
import type { DrillRecord } from '../domain/evidence/record.ts';
import type { JobStatus } from '../domain/job.ts';
import { drillEnds } from './drill-ends.ts';
import { leaseHolder, type LeaseHolder } from './lease-holder.ts';
import { phase, type DrillInput } from './messages.ts';
import { failureOf, longSteps } from './steps.ts';

/**
 * A rehearsal of a loss: what a drill names is rebuilt in a clean room from one copy alone, checked, measured and
 * taken down, and what it showed is signed. However it ends but by a cancel there is one piece of evidence: also a
 * room that was too small, and a worker that died at every attempt.
 */
export async function drill(input: DrillInput): Promise<{ drillId: string; status: JobStatus }> {
  const drillId = input.drillId ?? uuid4();
  const ends = drillEnds(input.drill, drillId, input.actor ?? 'schedule');
  const leases = leaseHolder({ jobId: drillId });
  let now = 'choosing points';
  setHandler(phase, () => {
    const waitsFor = leases.waitsFor();
    return waitsFor === null ? now : `waiting for ${waitsFor}`;
  });
  const plan = await ends.begin({
    trigger: input.trigger ?? 'schedule',
    dueAt: workflowInfo().typedSearchAttributes.get(scheduledFor)?.toISOString() ?? null,
  });
  now = 'in the clean room';
  const record = await heldOrLost(leases, plan);
  if (record === null) return ends.cancelled(plan);
  now = 'signing the evidence';
  return ends.signed(plan, record);
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
