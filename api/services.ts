// What the routes need from the rest of the house: plain functions over the words of `domain`. Each throws
// a HoldfastError (`notFound` for an unknown id, `request.conflict`, …) and records its change of state in
// the audit chain under the actor's name (law 9). `wiring.ts` builds it; the tests build a double.

import type {
  ConfigurationDifference,
  AppliedConfiguration as CurrentConfiguration,
  Difference,
  OldestUnread,
  Page,
  PolicyPause,
  PointHold,
  Role,
} from '../catalog/index.ts';
import type { RunKind } from '../domain/cadence/scheduled-runs.ts';
import type { AuditEvent, ChainReport } from '../domain/audit-chain.ts';
import type { ExportLine } from '../domain/audit-export.ts';
import type { Incident } from '../domain/incidents/condition.ts';
import type { AssetHealth, Health } from '../domain/objectives.ts';
import type { CopyState } from '../domain/copies/lag.ts';
import type { ObjectiveFigures } from '../domain/objectives/figures.ts';
import type { RepositoryGrowth } from '../domain/objectives/repository-growth.ts';
import type { Failure, Job, JobEvent, JobStatus, JobType } from '../domain/job.ts';
import type { Anomaly } from '../domain/retention/anomalies.ts';
import type { Decision } from '../domain/retention/plan.ts';
import type { PointKind, RecoveryPoint } from '../domain/recovery-point.ts';
import type { RemovalPlan } from '../domain/removal.ts';
import type { Restore } from '../domain/restore.ts';
import type { VerificationPlan } from '../domain/verification/policy-plan.ts';
import type { ControlPlaneServices } from './control-plane-services.ts';
import type { DrillServices } from './drill-services.ts';
import type { EvidenceServices } from './evidence-services.ts';
import type { KitServices } from './kit-services.ts';

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
  /** Each once, in one order; absent: none. */
  tags?: string[];
}

export interface VerificationRequest {
  policy: string;
  /** Every point of the policy's assets instead of the newest of each. */
  all: boolean;
  /** Only this one. */
  point: string | null;
  /** Instead of points: what the policy's verification cadence has due now. */
  due: boolean;
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
  /** `open`: running or waiting. */
  status: JobStatus | 'open' | null;
}

export interface PointFilter {
  asset: string | null;
  /** null: regular ones only. */
  kind: PointKind | null;
  /** true: only those that no configured policy looks after. */
  orphaned: boolean;
}

export interface ListedPoint extends RecoveryPoint {
  holds: PointHold[];
}

export interface HoldRequest {
  kind: PointHold['kind'];
  /** null: who asks. */
  owner: string | null;
  reason: string;
}

export interface RemovalRequest {
  reason: string;
  /** Only the copy there; null: the whole point. */
  repository: string | null;
  /** false: only tell what would go. */
  confirm: boolean;
}

export interface Removal {
  plan: RemovalPlan;
  removed: boolean;
}

/** The file with an event history, held against the digest on the chain. */
export interface HistoryCheck {
  subject: string;
  /** `elsewhere`: another machine has the file; `unavailable`: Temporal had lost it; `pending`: not exported yet. */
  state: 'whole' | 'altered' | 'missing' | 'elsewhere' | 'unavailable' | 'pending';
  workflowId: string | null;
  at: string | null;
  digest: string | null;
  bytes: number | null;
  runs: string[];
  host: string | null;
  path: string | null;
}

export interface HistoryReport {
  whole: number;
  elsewhere: number;
  problems: HistoryCheck[];
}

export interface AuditPublicKey {
  keyId: string;
  /** Ed25519, SubjectPublicKeyInfo in DER, base64. */
  publicKey: string;
}

export interface AuditFilter {
  actor: string | null;
  /** The beginning of it is enough: `point.`, `restore.commit`. */
  action: string | null;
  subject: string | null;
  /** RFC 3339; from this on, and before that. */
  since: string | null;
  until: string | null;
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

export interface AssetStatusItem extends AssetHealth, ObjectiveFigures {
  /** Backups of the last 30 days. */
  backups: { succeeded: number; failed: number };
  copies: { repository: string; newestTakenAt: string; storedAt: string }[];
  /** Who stopped the policy's Schedules, and why; null: nobody. */
  paused: PolicyPause | null;
}

export interface PolicyItem {
  policy: string;
  assets: string[];
  paused: PolicyPause | null;
  /** What runs by itself, each with when it is due next; null while it is paused. */
  runs: { kind: RunKind; schedule: string; nextRunAt: string | null }[];
}

export interface StatusReport {
  assets: AssetStatusItem[];
  sites: { name: string; health: Health; reason: string }[];
  repositories: RepositoryStatusItem[];
  /** Of the configured notification channels. */
  channels: { name: string; type: string; health: Health; reason: string }[];
  /** Open ones; `critical` counts those worth a page, too. */
  incidents: { open: number; critical: number };
}

export interface RepositoryStatusItem {
  name: string;
  type: string;
  health: Health;
  reason: string;
  growth: Omit<RepositoryGrowth, 'fillsAt'>;
  /** When it will be full at the pace of the last 90 days. */
  fillsAt: string | null;
  /** null: no policy asks for its readings, or nothing is stored in it. */
  oldestUnread: OldestUnread | null;
  /** As last measured; null: its size is not known, or nothing was measured yet. */
  usedBytes: number | null;
  capacityBytes: number | null;
  freeBytes: number | null;
  watermark: 'normal' | 'high';
  /** Since the budget's last reset; midnight UTC where it has none. */
  uploadedToday: number;
  /** null: no budget. */
  dailyUpload: number | null;
  resetsAt: string | null;
  /** Sends that wait for the budget. */
  waiting: { jobId: string; asset: string; expectedBytes: number; until: string }[];
}

export interface JobCount {
  type: JobType;
  status: JobStatus;
  count: number;
}

/** What a channel made of a test message. */
export interface ChannelTest {
  channel: string;
  type: string;
  accepted: boolean;
  words: string;
  error: Failure | null;
}

export interface ServiceHealth {
  /** Each part the service cannot work without. */
  parts: { name: string; ok: boolean }[];
}

export interface Services extends ControlPlaneServices, EvidenceServices, DrillServices, KitServices {
  health(): Promise<ServiceHealth>;
  status(): Promise<StatusReport>;
  /** Open ones, and those that began in the last 24 hours. */
  jobCounts(): Promise<JobCount[]>;

  startBackup(actor: Actor, request: BackupRequest, key: IdempotencyKey | null): Promise<Once<Job>>;
  startVerification(
    actor: Actor,
    request: VerificationRequest,
    key: IdempotencyKey | null,
  ): Promise<Once<Job>>;
  planVerification(policy: string): Promise<VerificationPlan>;
  /** null: of every policy. */
  listCopies(policy: string | null): Promise<CopyState[]>;
  startSync(
    actor: Actor,
    request: { policy: string; repository: string },
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

  listPoints(filter: PointFilter, page: PageRequest): Promise<Page<ListedPoint>>;
  getPoint(id: string): Promise<ListedPoint>;
  listPointFiles(actor: Actor, id: string, path: string): Promise<PointFile[]>;
  holdPoint(actor: Actor, id: string, request: HoldRequest): Promise<ListedPoint>;
  /** `owner`: only that one's holds; null: every one. */
  releasePoint(
    actor: Actor,
    id: string,
    request: { reason: string; owner: string | null },
  ): Promise<ListedPoint>;
  removePoint(actor: Actor, id: string, request: RemovalRequest): Promise<Removal>;
  /** Engine snapshots that Holdfast did not make become recovery points; empty: every one of that asset's path. */
  importSnapshots(
    actor: Actor,
    request: { asset: string; repository: string; snapshots: string[] },
  ): Promise<ListedPoint[]>;

  prepareRestore(actor: Actor, request: RestoreRequest, key: IdempotencyKey | null): Promise<Once<Restore>>;
  commitRestore(actor: Actor, id: string): Promise<Restore>;
  cancelRestore(actor: Actor, id: string): Promise<Restore>;
  getRestore(id: string): Promise<Restore>;
  listRestores(filter: { asset: string | null }, page: PageRequest): Promise<Page<Restore>>;

  applyConfiguration(actor: Actor, request: ConfigurationRequest): Promise<AppliedConfiguration>;
  currentConfiguration(): Promise<CurrentConfiguration | null>;

  listPolicies(): Promise<PolicyItem[]>;
  pausePolicy(actor: Actor, policy: string, reason: string): Promise<PolicyItem>;
  resumePolicy(actor: Actor, policy: string, reason: string): Promise<PolicyItem>;

  listIncidents(filter: { all: boolean }, page: PageRequest): Promise<Page<Incident>>;
  /** null: every channel. `notFound` where there is none. */
  testChannels(actor: Actor, channel: string | null): Promise<ChannelTest[]>;

  listAudit(filter: AuditFilter, page: PageRequest): Promise<Page<AuditEvent>>;
  /** The whole chain, oldest first, and its signed head. */
  exportAudit(actor: Actor): AsyncIterable<ExportLine>;
  auditKey(): AuditPublicKey;
  rotateAuditKey(actor: Actor, reason: string): Promise<AuditPublicKey>;
  verifyAudit(): Promise<ChainReport>;
  /** Of a job, or of a restore by its name `r-1`. */
  jobHistory(id: string): Promise<HistoryCheck>;
  checkHistories(): Promise<HistoryReport>;
}
