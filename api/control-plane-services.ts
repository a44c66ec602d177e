import type { Rollback } from '../catalog/index.ts';
import type { StoredControlPlane } from '../domain/control-plane/due.ts';
import type { Failure, Job } from '../domain/job.ts';
import type { Actor } from './services.ts';

/** What the routes of the control plane's own recovery points need: see services.ts. */
export interface ControlPlaneServices {
  /** Of every repository where it is stored, or was found rolled back. */
  listControlPlane(): Promise<ControlPlaneItem[]>;
  /** `request.conflict` when it is being stored there already. */
  startControlPlaneBackup(actor: Actor, repository: string): Promise<Job>;
  /** Its copies that are gone are marked so. `notFound` where the repository was not rolled back. */
  acceptRollback(actor: Actor, repository: string, reason: string): Promise<Rollback>;
}

export interface ControlPlaneItem {
  repository: string;
  /** false: it is not to be stored there any more. */
  configured: boolean;
  /** false: the repository was never made, and the control plane comes after the first backup. */
  initialised: boolean;
  /** The newest one there. */
  stored: StoredControlPlane | null;
  /** Why it is to be stored anew; null: nothing has happened since, or it may wait. */
  due: string | null;
  /** What is wrong; null: nothing. */
  behind: string | null;
  lastAttempt: { jobId: string; endedAt: string; error: Failure | null } | null;
  /** Not null: what the repository lost, until somebody accepts it. */
  rolledBack: Rollback | null;
}
