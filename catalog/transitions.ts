// Which status may follow which. What is not listed is refused; the same status again changes nothing.

import type { AssetStatus, JobStatus } from '../domain/job.ts';
import type { RestoreStatus } from '../domain/restore.ts';

const JOB: Record<JobStatus, readonly JobStatus[]> = {
  running: ['waiting', 'success', 'warning', 'failed', 'cancelled'],
  waiting: ['running', 'success', 'warning', 'failed', 'cancelled'],
  success: [],
  warning: [],
  failed: [],
  cancelled: [],
};

/** A success can still be taken back, by a copy or a proof that failed after it. */
const ASSET: Record<AssetStatus, readonly AssetStatus[]> = {
  pending: ['running', 'success', 'failed', 'skipped'],
  running: ['success', 'failed', 'skipped'],
  success: ['failed'],
  failed: [],
  skipped: [],
};

/** Once committing, a restore ends restored or rolled back, or fails; it is neither cancelled nor expired. */
const RESTORE: Record<RestoreStatus, readonly RestoreStatus[]> = {
  preparing: ['prepared', 'awaitingApproval', 'cancelled', 'expired', 'failed'],
  prepared: ['awaitingApproval', 'committing', 'cancelled', 'expired', 'failed'],
  awaitingApproval: ['prepared', 'committing', 'cancelled', 'expired', 'failed'],
  committing: ['checking', 'completed', 'rolledBack', 'failed'],
  checking: ['completed', 'rolledBack', 'failed'],
  completed: [],
  rolledBack: [],
  cancelled: [],
  expired: [],
  failed: [],
};

export function jobMay(from: JobStatus, to: JobStatus): boolean {
  return JOB[from].includes(to);
}

export function jobAssetMay(from: AssetStatus, to: AssetStatus): boolean {
  return ASSET[from].includes(to);
}

export function restoreMay(from: RestoreStatus, to: RestoreStatus): boolean {
  return RESTORE[from].includes(to);
}
