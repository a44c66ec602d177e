// What the catalogue can do, grouped by noun. Every write may run twice and changes nothing the second
// time; every change of state puts its own event on the audit chain in the same transaction (law 9).
// Failures: `catalog.unreachable` (retryable), `notFound`, `point.unknown`, `usage`, `request.conflict`,
// `restore.state`, `fenced`.

import type { AssetStatus, Failure, Job, JobEvent, JobStatus, JobType, Progress } from '../domain/job.ts';
import type { Proof, RequiredProof } from '../domain/proof.ts';
import type { PointCopy, PointKind, RecoveryPoint } from '../domain/recovery-point.ts';
import type { Restore, RestoreStatus } from '../domain/restore.ts';
import type { Audit } from './audit.ts';
import type { Configurations } from './configurations.ts';
import type { ControlPlaneRecords } from './control-plane.ts';
import type { Durations } from './durations.ts';
import type { Drills } from './drills.ts';
import type { EvidenceRecords } from './evidence.ts';
import type { Histories } from './histories.ts';
import type { Holds } from './holds.ts';
import type { IncidentRecords } from './incident-facts.ts';
import type { Incidents } from './incidents.ts';
import type { Notifications } from './notifications.ts';
import type { Idempotency } from './idempotency.ts';
import type { PolicyPauses } from './policy-pauses.ts';
import type { Objectives } from './objectives.ts';
import type { OldRecords } from './old-records.ts';
import type { Readings } from './readings.ts';
import type { KeyUses } from './key-uses.ts';
import type { Kits } from './kits.ts';
import type { Removals } from './removals.ts';
import type { Repositories } from './repositories.ts';
import type { Schedules } from './schedules.ts';
import type { Copies } from './copies.ts';
import type { RepositoryRooms } from './repository-room.ts';
import type { ClockSeen } from './clock-seen.ts';
import type { Leases } from './leases.ts';
import type { RetentionRecords } from './retention.ts';
import type { AssetState } from './status.ts';
import type { Tokens } from './tokens.ts';
import type { Uploads } from './uploads.ts';

export interface Catalog {
  readonly jobs: Jobs;
  readonly jobEvents: JobEvents;
  readonly points: Points;
  readonly holds: Holds;
  readonly removals: Removals;
  readonly restores: Restores;
  readonly configurations: Configurations;
  readonly controlPlane: ControlPlaneRecords;
  readonly repositories: Repositories;
  readonly schedules: Schedules;
  readonly policyPauses: PolicyPauses;
  readonly readings: Readings;
  readonly copies: Copies;
  readonly rooms: RepositoryRooms;
  readonly uploads: Uploads;
  readonly idempotency: Idempotency;
  readonly tokens: Tokens;
  readonly durations: Durations;
  readonly objectives: Objectives;
  readonly histories: Histories;
  readonly keyUses: KeyUses;
  readonly kits: Kits;
  readonly oldRecords: OldRecords;
  readonly leases: Leases;
  readonly retention: RetentionRecords;
  readonly clock: ClockSeen;
  readonly audit: Audit;
  readonly drills: Drills;
  readonly evidence: EvidenceRecords;
  readonly incidents: Incidents;
  readonly incidentRecords: IncidentRecords;
  readonly notifications: Notifications;
  /** One row per asset of the current configuration and policy it is in, by name. */
  status(): Promise<AssetState[]>;
  /** The same catalogue; what is changed through it goes on the audit chain under this name. */
  as(actor: string): Catalog;
  /** Throws `catalog.unreachable` unless the database answers now. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Newest first. `next` goes into `cursor` of the same list with the same filter; null: that was all. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface PageRequest {
  /** 1 to 500, 50 if left out. */
  limit?: number;
  cursor?: string | null;
}

/**
 * The right to write for one asset of a job. A later `takeFence` of the same asset makes every earlier one
 * worthless: a zombie's writes fail with `fenced`.
 */
export interface Fence {
  jobId: string;
  asset: string;
  number: number;
}

export interface Jobs {
  /** By id: the second call returns what is there. `request.conflict` when the policy's backup already runs. */
  begin(job: NewJob): Promise<Job>;
  /** `because`: in words, for the audit event. */
  setStatus(id: string, status: 'running' | 'waiting', because?: string): Promise<Job>;
  /**
   * Ends it for good. `success` is refused unless every asset succeeded or was skipped (law 1). An asset
   * still pending or running becomes `failed` with the job's error.
   */
  end(id: string, end: JobEnd): Promise<Job>;
  setAsset(id: string, asset: string, change: AssetChange, fence?: Fence): Promise<void>;
  /** Only for people to look at; not audited. */
  progress(fence: Fence, progress: Progress): Promise<void>;
  takeFence(id: string, asset: string): Promise<Fence>;
  assertFence(fence: Fence): Promise<void>;
  /** By id, by a unique beginning of it (4 characters or more), or by workflow id. */
  find(reference: string): Promise<Job>;
  list(request?: JobFilter & PageRequest): Promise<Page<Job>>;
}

export interface NewJob extends Pick<Job, 'id' | 'workflowId' | 'type' | 'policy' | 'trigger' | 'startedAt'> {
  assets: string[];
  /** None if left out. */
  tags?: string[];
  /** Of a sync: the copy it brings up to date. */
  repository?: string | null;
  /** `running` if left out. */
  status?: 'running' | 'waiting';
}

export interface JobEnd {
  status: Exclude<JobStatus, 'running' | 'waiting'>;
  /** Now, if left out. */
  endedAt?: string;
  error?: Failure | null;
}

/** What is left out stays as it is. `notes` are added to those there, each once. */
export interface AssetChange {
  status?: AssetStatus;
  recoveryPointId?: string;
  proof?: Proof;
  error?: Failure | null;
  notes?: string[];
}

export interface JobFilter {
  type?: JobType;
  policy?: string;
  asset?: string;
  status?: readonly JobStatus[];
}

export interface JobEvents {
  /** Numbers them in order; an event with the same time and words is kept once. */
  append(jobId: string, events: readonly Omit<JobEvent, 'sequence'>[]): Promise<void>;
  /** Oldest first, after this sequence; `next` is the sequence to go on from, null when that was all. */
  list(
    jobId: string,
    request?: { after?: number; limit?: number },
  ): Promise<{ items: JobEvent[]; next: number | null }>;
}

export interface Points {
  /**
   * By id. A point with a `jobId` needs that job's fence for its asset. `proof` follows from the copies, of
   * which there is at least one.
   */
  record(point: NewPoint, fence: Fence | null): Promise<RecoveryPoint>;
  /** By (point, repository). Another artifact in the same repository replaces the copy and its proofs. */
  recordCopy(pointId: string, copy: NewCopy, fence?: Fence): Promise<RecoveryPoint>;
  /** Later times replace earlier ones, never the other way round. The point's proof follows. */
  markCopy(pointId: string, repository: string, marks: CopyMarks, fence?: Fence): Promise<RecoveryPoint>;
  /** By id or a unique beginning of it; `point.unknown` otherwise. */
  find(reference: string): Promise<RecoveryPoint>;
  list(request?: PointFilter & PageRequest): Promise<Page<RecoveryPoint>>;
  /**
   * The newest regular point that is not damaged and meets what is asked; a partial one only where no whole
   * one does. null when there is none.
   */
  newest(asset: string, wanted?: NewestWanted): Promise<RecoveryPoint | null>;
  /** How many regular points have a copy in each repository, by its name. */
  countByRepository(): Promise<{ repository: string; points: number }[]>;
  /** Points with a copy in this repository made of any of these engine snapshots. */
  withSnapshots(repository: string, snapshotIds: readonly string[]): Promise<RecoveryPoint[]>;
}

export interface NewPoint extends Omit<RecoveryPoint, 'proof' | 'partial' | 'tags' | 'copies' | 'orphaned'> {
  /** None if left out. */
  tags?: string[];
  /** null if left out. */
  partial?: string | null;
  copies: [NewCopy, ...NewCopy[]];
}

export interface NewCopy extends Pick<PointCopy, 'repository' | 'artifactId' | 'parts' | 'storedAt'> {
  verifiedAt?: string | null;
  provenAt?: string | null;
}

export interface CopyMarks {
  verifiedAt?: string;
  provenAt?: string;
  damagedAt?: string;
}

export interface PointFilter {
  asset?: string;
  policy?: string;
  /** `regular` if left out; null for every kind. */
  kind?: PointKind | null;
  /** This proof exactly. */
  proof?: Proof;
  /** With a copy there. */
  repository?: string;
  orphaned?: boolean;
}

export interface NewestWanted {
  /** At least this. */
  proof?: RequiredProof;
  /** Taken at or before. */
  at?: string;
  /** With a copy there that is not damaged. */
  repository?: string;
}

export interface Restores {
  /** `requestId` (the idempotency key, or a fresh UUID) makes it safe to ask twice. Status `preparing`. */
  create(restore: NewRestore): Promise<Restore>;
  /** Refuses with `restore.state` what the restore's status does not allow; an ended one never changes. */
  update(id: string, change: RestoreChange): Promise<Restore>;
  find(id: string): Promise<Restore>;
  list(request?: RestoreFilter & PageRequest): Promise<Page<Restore>>;
}

export interface NewRestore extends Pick<Restore, 'asset' | 'point' | 'target' | 'include'> {
  requestId: string;
  pointTakenAt?: string | null;
  repository?: string | null;
}

export type RestoreChange = Partial<
  Pick<
    Restore,
    | 'status'
    | 'point'
    | 'pointTakenAt'
    | 'repository'
    | 'target'
    | 'validation'
    | 'impact'
    | 'estimateSeconds'
    | 'measuredSeconds'
    | 'safetyPointId'
    | 'expiresAt'
    | 'endedAt'
    | 'error'
  >
>;

export interface RestoreFilter {
  asset?: string;
  status?: readonly RestoreStatus[];
}
