// What the routes need from the rest of the house: plain functions over the words of `domain`. Each throws
// a HoldfastError (`notFound` for an unknown id, `request.conflict`, …) and records its change of state in
// the audit chain under the actor's name (law 9). `wiring.ts` builds it; the tests build a double.

import type {
  ConfigurationDifference,
  AppliedConfiguration as CurrentConfiguration,
  Difference,
  Page,
  Role,
} from '../catalog/index.ts';
import type { AuditEvent, ChainReport } from '../domain/audit-chain.ts';
import type { AssetHealth, Health } from '../domain/objectives.ts';
import type { Job, JobEvent, JobStatus, JobType } from '../domain/job.ts';
import type { Anomaly } from '../domain/retention/anomalies.ts';
import type { Decision } from '../domain/retention/plan.ts';
import type { PointKind, RecoveryPoint } from '../domain/recovery-point.ts';
import type { Restore } from '../domain/restore.ts';

export interface Actor {
  /** The token's name, as the audit shows it. */
  name: string;
  role: Role;
}

export interface PageRequest {
  /** 1 to 500. */
  limit: number;
  /** What `next` of the page before said; null for the first page. */
  cursor: string | null;
}

/** The same key with the same request yields the first answer again; with another, `request.conflict`. */
export interface IdempotencyKey {
  key: string;
  /** SHA-256 over what was asked for; equal requests have equal ones. */
  request: string;
}

export interface Once<Answer> {
  answer: Answer;
  /** true: nothing was started, this is the answer to the first request with the key. */
  repeated: boolean;
}

export interface BackupRequest {
  policy: string;
  /** Empty: every asset of the policy. */
  assets: string[];
}

export interface VerificationRequest {
  policy: string;
  /** Every point of the policy's assets instead of the newest of each. */
  all: boolean;
  /** Only this one. */
  point: string | null;
}

export interface RetentionRequest {
  policy: string;
  /** Go ahead in spite of what would stop it. */
  confirm: boolean;
}

export interface RetentionPlan {
  /** Newest first. */
  decisions: (Decision & { asset: string; repository: string })[];
  /** Why a run would stop before anything goes. */
  anomalies: (Anomaly & { repository: string })[];
}

export interface RestoreRequest {
  asset: string;
  /** An id, or null for the newest (at or before `time`, where that is given). */
  point: string | null;
  time: string | null;
  /** Paths inside the point; empty: everything. */
  include: string[];
  /** null: where the asset lives. */
  to: string | null;
  /** A repository; null: the nearest that has the point. */
  from: string | null;
}

export interface JobFilter {
  policy: string | null;
  asset: string | null;
  type: JobType | null;
  status: JobStatus | null;
}

export interface PointFilter {
  asset: string | null;
  /** null: regular ones only. */
  kind: PointKind | null;
}

export interface PointFile {
  path: string;
  type: 'file' | 'dir' | 'symlink' | 'other';
  size: number;
  modifiedAt: string;
}

export interface ConfigurationRequest {
  /** The file's text; parsed and checked again here, whatever the sender has checked. */
  source: string;
  /** Absolute: the file it came from, for messages and for relative paths. */
  path: string;
  dryRun: boolean;
}

export interface AppliedConfiguration extends ConfigurationDifference {
  dryRun: boolean;
  /** Of Temporal Schedules, one per policy. */
  schedules: Difference;
  /** Sentences a reader should know. */
  warnings: string[];
}

export interface AssetStatusItem extends AssetHealth {
  /** Backups of the last 30 days. */
  backups: { succeeded: number; failed: number };
  copies: { repository: string; newestTakenAt: string; storedAt: string }[];
}

export interface StatusReport {
  assets: AssetStatusItem[];
  sites: { name: string; health: Health; reason: string }[];
  repositories: { name: string; type: string; health: Health; reason: string }[];
}

export interface ServiceHealth {
  /** Each part the service cannot work without. */
  parts: { name: string; ok: boolean }[];
}

export interface Services {
  health(): Promise<ServiceHealth>;
  status(): Promise<StatusReport>;

  startBackup(actor: Actor, request: BackupRequest, key: IdempotencyKey | null): Promise<Once<Job>>;
  startVerification(
    actor: Actor,
    request: VerificationRequest,
    key: IdempotencyKey | null,
  ): Promise<Once<Job>>;
  retentionPlan(policy: string): Promise<RetentionPlan>;
  startRetention(actor: Actor, request: RetentionRequest, key: IdempotencyKey | null): Promise<Once<Job>>;
  listJobs(filter: JobFilter, page: PageRequest): Promise<Page<Job>>;
  getJob(id: string): Promise<Job>;
  /** A log is read forwards: oldest first, from after that sequence number; `next` is the one to go on from. */
  jobEvents(
    id: string,
    page: { after: number; limit: number },
  ): Promise<{ items: JobEvent[]; next: number | null }>;
  cancelJob(actor: Actor, id: string): Promise<Job>;

  listPoints(filter: PointFilter, page: PageRequest): Promise<Page<RecoveryPoint>>;
  getPoint(id: string): Promise<RecoveryPoint>;
  listPointFiles(id: string, path: string): Promise<PointFile[]>;
  /** Engine snapshots that Holdfast did not make become recovery points; empty: every one of that asset's path. */
  importSnapshots(
    actor: Actor,
    request: { asset: string; repository: string; snapshots: string[] },
  ): Promise<RecoveryPoint[]>;

  prepareRestore(actor: Actor, request: RestoreRequest, key: IdempotencyKey | null): Promise<Once<Restore>>;
  commitRestore(actor: Actor, id: string): Promise<Restore>;
  cancelRestore(actor: Actor, id: string): Promise<Restore>;
  getRestore(id: string): Promise<Restore>;
  listRestores(filter: { asset: string | null }, page: PageRequest): Promise<Page<Restore>>;

  applyConfiguration(actor: Actor, request: ConfigurationRequest): Promise<AppliedConfiguration>;
  currentConfiguration(): Promise<CurrentConfiguration | null>;

  listAudit(page: PageRequest): Promise<Page<AuditEvent>>;
  /** The whole chain, oldest first. */
  exportAudit(actor: Actor): AsyncIterable<AuditEvent>;
  verifyAudit(): Promise<ChainReport>;
}
