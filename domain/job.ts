import type { Proof } from './proof.ts';

export type JobType =
  | 'preflight'
  | 'backup'
  | 'sync'
  | 'retention'
  | 'verify'
  | 'restore'
  | 'drill'
  /** The control plane stores itself; of no policy. */
  | 'controlPlane';
export type JobStatus = 'running' | 'waiting' | 'success' | 'warning' | 'failed' | 'cancelled';
export type AssetStatus = 'pending' | 'running' | 'success' | 'failed' | 'skipped';
export type Trigger = 'schedule' | 'manual' | 'restore';

/** The contract's error shape, as it is kept in job assets, restores and API answers. */
export interface Failure {
  code: string;
  message: string;
  cause: string;
  hint: string;
}

/** How far a long step is. Bytes and seconds; `etaSeconds` is null while nothing can be said. */
export interface Progress {
  phase: string;
  bytesDone: number;
  bytesTotal: number | null;
  filesDone: number;
  filesTotal: number | null;
  bytesPerSecond: number;
  etaSeconds: number | null;
}

export interface JobAsset {
  asset: string;
  status: AssetStatus;
  recoveryPointId: string | null;
  proof: Proof | null;
  error: Failure | null;
  /** What a reader should know although the asset succeeded: files that changed while they were read, … */
  notes: string[];
  progress: Progress | null;
}

export interface Job {
  id: string;
  workflowId: string;
  type: JobType;
  policy: string | null;
  trigger: Trigger;
  status: JobStatus;
  startedAt: string;
  endedAt: string | null;
  /** A backup's recovery points get these. */
  tags: string[];
  assets: JobAsset[];
  error: Failure | null;
  /** Of a sync: the copy it brings up to date. Of the control plane: where it is stored. */
  repository: string | null;
}

export interface JobEvent {
  sequence: number;
  at: string;
  level: 'info' | 'warning' | 'error';
  asset: string | null;
  step: string;
  message: string;
}

/**
 * Law 1. All assets reached what their policy asks: success. Some failed: warning. All failed: failed.
 * A skipped asset had nothing due and counts for neither side; a job of only skipped assets is a success.
 */
export function statusOfEndedJob(assets: readonly AssetStatus[]): 'success' | 'warning' | 'failed' {
  const due = assets.filter((status) => status !== 'skipped');
  const failed = due.filter((status) => status !== 'success').length;
  if (failed === 0) return 'success';
  return failed === due.length ? 'failed' : 'warning';
}
