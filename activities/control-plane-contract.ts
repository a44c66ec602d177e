import type { Failure, Trigger } from '../domain/job.ts';
import type { RepositoryFence } from '../domain/lease.ts';

// What the control plane's workflow knows of the hands: as in contract.ts, which gives it out.

export interface BeginControlPlane {
  jobId: string;
  workflowId: string;
  repository: string;
  trigger: Trigger;
  actor: string;
}

/** What storing the control plane is going to do, decided once at its beginning. */
export interface ControlPlanePlan {
  jobId: string;
  repository: string;
  /** Not null: another one goes on there. */
  refused: Failure | null;
  /** Digest of the configuration it was begun with. */
  configuration: string;
  /** The name its points go by. */
  asset: string;
  /** The same when the job is begun again. */
  point: string;
  hostQueue: string;
}

export interface StoreControlPlane {
  jobId: string;
  configuration: string;
  repository: string;
  point: string;
  fences: RepositoryFence[];
}
