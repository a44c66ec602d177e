import { HoldfastError } from '../../domain/errors.ts';
import { CONTROL_PLANE_ASSET } from '../../domain/control-plane/bundle.ts';
import type { BeginControlPlane, ControlPlanePlan } from '../contract.ts';
import { derivedId } from '../derived-id.ts';
import type { Deployment } from '../deployment.ts';

/** Puts the job on record. Refused where one goes on there already: that one does what this was to do. */
export async function beginControlPlane(
  { catalog, clock, hostQueue }: Deployment,
  { jobId, workflowId, repository, trigger, actor }: BeginControlPlane,
): Promise<ControlPlanePlan> {
  const applied = await catalog.configurations.current();
  const plan: ControlPlanePlan = {
    ...{ jobId, repository, hostQueue, refused: null },
    configuration: applied?.digest ?? '',
    asset: CONTROL_PLANE_ASSET,
    point: derivedId(jobId, CONTROL_PLANE_ASSET),
  };
  try {
    await catalog.as(actor).jobs.begin({
      ...{ id: jobId, workflowId, trigger, repository },
      type: 'controlPlane',
      policy: null,
      assets: [CONTROL_PLANE_ASSET],
      startedAt: clock().toISOString(),
    });
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'request.conflict') throw error;
    return { ...plan, refused: error.toContract() };
  }
  return plan;
}
