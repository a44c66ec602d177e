import type { Failure } from './job.ts';
import type { ProofReport } from './recovery-point.ts';

export type RestoreStatus =
  | 'preparing'
  | 'prepared'
  | 'awaitingApproval'
  | 'committing'
  | 'checking'
  | 'completed'
  | 'rolledBack'
  | 'cancelled'
  | 'expired'
  | 'failed';

export interface FileChanges {
  count: number;
  bytes: number;
  examples: string[];
}

export interface TableChange {
  table: string;
  /** null: the table is not there. */
  before: number | null;
  after: number | null;
}

/** What a commit would do to the target. Computed before it, without touching the target. */
export interface Impact {
  files: { added: FileChanges; changed: FileChanges; removed: FileChanges } | null;
  tables: TableChange[] | null;
  bytes: number;
  /** Commands that are run before and after the swap, as a person would type them. */
  stops: string[];
  starts: string[];
  /** Sentences a person must read before committing: roles to be created, connections to be ended … */
  warnings: string[];
}

export interface Restore {
  id: string;
  asset: string;
  point: string;
  pointTakenAt: string | null;
  repository: string | null;
  target: string;
  include: string[];
  status: RestoreStatus;
  validation: ProofReport | null;
  impact: Impact | null;
  estimateSeconds: number | null;
  measuredSeconds: number | null;
  safetyPointId: string | null;
  expiresAt: string | null;
  createdAt: string;
  endedAt: string | null;
  error: Failure | null;
}

const FINAL: readonly RestoreStatus[] = ['completed', 'rolledBack', 'cancelled', 'expired', 'failed'];

export function isFinal(status: RestoreStatus): boolean {
  return FINAL.includes(status);
}
