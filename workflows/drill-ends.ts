// Where drills and game days begin and end in the catalogue: whatever happens in between, the row is ended, and what
// was seen is signed before.

import { CancelledFailure } from '@temporalio/common';
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { BeginDrill, DrillPlan, RecordedEvidence } from '../activities/contract.ts';
import type { DrillRecord } from '../domain/evidence/record.ts';
import type { Failure, JobStatus } from '../domain/job.ts';
import { labelDrill } from './search-attributes.ts';
import { controlSteps, evidenceSteps, failureOf } from './steps.ts';

export interface DrillEnds {
  begin(facts: Pick<BeginDrill, 'trigger' | 'dueAt' | 'gameDay'>): Promise<DrillPlan>;
  /** It leaves no evidence. Throws that it was cancelled. */
  cancelled(plan: DrillPlan): Promise<never>;
  signed(plan: DrillPlan, record: DrillRecord): Promise<{ drillId: string; status: JobStatus }>;
}

export function drillEnds(drill: string, drillId: string, actor: string): DrillEnds {
  const control = controlSteps(drill);
  const end = (facts: { record?: DrillRecord; evidence?: RecordedEvidence; error?: Failure | null }) =>
    CancellationScope.nonCancellable(() =>
      control.endDrill({
        ...{ drillId, actor, record: facts.record ?? null },
        ...{ evidence: facts.evidence ?? null, error: facts.error ?? null },
      }),
    );
  const assetsOf = ({ record }: DrillPlan) => record.assets.map(({ asset }) => asset);

  return {
    begin: async (facts) => {
      let plan: DrillPlan;
      try {
        plan = await CancellationScope.nonCancellable(() =>
          control.beginDrill({ drillId, actor, drill, workflowId: workflowInfo().workflowId, ...facts }),
        );
      } catch (error) {
        // Whoever asked for it may have put its row there already; a scheduled run has none to end.
        await end({ error: failureOf(error) }).catch(failureOf);
        throw error;
      }
      labelDrill(assetsOf(plan), 'running');
      return plan;
    },

    cancelled: async (plan) => {
      await end({});
      labelDrill(assetsOf(plan), 'cancelled');
      throw new CancelledFailure('the drill was cancelled');
    },

    signed: async (plan, record) => {
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
      labelDrill(assetsOf(plan), status);
      return { drillId, status };
    },
  };
}
