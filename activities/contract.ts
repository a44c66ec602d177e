import type { LeaseGrant, LeaseRequest, RepositoryFence } from '../domain/lease.ts';
import type { AssetStatus, Failure, JobStatus, JobType, Trigger } from '../domain/job.ts';
import type { DrillIntegrity, DrillRecord } from '../domain/evidence/record.ts';
import type { BeginControlPlane, ControlPlanePlan, StoreControlPlane } from './control-plane-contract.ts';
import type { BeginDrill, DrillPlan, EndDrill } from './drill-contract.ts';
import type { GameDayActivities, GameDayControl } from './game-day-contract.ts';
import type { Proof, RequiredProof } from '../domain/proof.ts';
import type { Impact, RestoreStatus } from '../domain/restore.ts';
import type { ProofReport } from '../domain/recovery-point.ts';

export type * from './control-plane-contract.ts';
export type * from './drill-contract.ts';
export type * from './game-day-contract.ts';
export type * from './kit-contract.ts';

// What workflows know of the hands: names and shapes. Everything here ends in Temporal's history, so it
// holds names and ids, never a secret, never a list that grows with the data.

/** Names the configuration a job was begun with, so that a later `apply` does not change it half-way. */
export interface JobScope {
  jobId: string;
  /** Digest of the applied configuration. */
  configuration: string;
  policy: string;
}

export interface AssetStep extends JobScope {
  asset: string;
}

export interface PointStep extends AssetStep {
  point: string;
}

/** One repository of a policy, and the number of the lease under which something may be taken away there. */
export interface RetentionStep extends JobScope {
  repository: string;
  fence: number;
}

/** The leases a step works under: shown before anything is taken away there. Absent in old histories. */
export interface Leased {
  fences?: RepositoryFence[];
}

export interface BeginJob {
  jobId: string;
  workflowId: string;
  type: JobType;
  policy: string;
  trigger: Trigger;
  actor: string;
  /** Empty: every asset of the policy. */
  assets: string[];
  /** Of the points it makes; absent: none. */
  tags?: string[];
  /** Of a sync: the copy it brings up to date. */
  repository?: string;
}

/** A point that is not where it should be yet. `damaged`: it is there, and is to be replaced. */
export interface DueCopy {
  asset: string;
  point: string;
  damaged?: true;
}

/** What a job is going to do, decided once at its beginning. */
export interface JobPlan extends JobScope {
  /** Not null: the job must not run (another one of the policy does); it is recorded as skipped. */
  refused: Failure | null;
  sites: SitePlan[];
  repository: string;
  copies: string[];
  proof: RequiredProof;
  /** The point each asset gets in this job: the same when the job is begun again. Absent in old histories. */
  points?: Record<string, string>;
  /** Assets that had ended when the job was begun again, Temporal having lost it. Absent in old histories. */
  ended?: Record<string, AssetStatus>;
  /** Assets that have hooks; the others are spared two steps. Absent in old histories: any may have some. */
  hooked?: string[];
  /** Assets that a drill compares with what their backup noted, whatever the policy asks. Absent: none. */
  drilled?: string[];
  /** Of the points it makes. Absent: none. */
  tags?: string[];
}

export interface SitePlan {
  site: string;
  /** Task queue of the host that reaches this site's files. */
  hostQueue: string;
  assets: string[];
}

export interface AssetOutcome {
  status: AssetStatus;
  recoveryPointId: string | null;
  proof: Proof | null;
  error: Failure | null;
}

/** What is read back of one asset in one repository. */
export interface VerifyTarget {
  asset: string;
  repository: string;
  /** Newest first; with `every` only the newest. */
  points: string[];
  /** Every regular point of the asset there, however many: too many to be named in a payload. Absent in old histories. */
  every?: true;
  /** A point to rehearse from here, because the policy asks for `proven`; null: reading back is enough. */
  rehearse: string | null;
}

/** What a run of the verification cadence reads and rehearses. */
export interface CadencePlan {
  /** Only those of which something is due. */
  repositories: {
    repository: string;
    /** Into how many groups the cadence divides it. */
    groups: number;
    /** In this order; the whole at once is group 1 of 1. */
    readings: { group: number; groups: number }[];
  }[];
  rehearsals: DueRehearsalOfPoint[];
}

export interface DueRehearsalOfPoint {
  asset: string;
  point: string;
  repository: string;
}

/** What was found in a group; null: nothing wrong that was not known. */
export interface GroupOutcome {
  failure: Failure | null;
  /** Those of the policy that it hurts; may be none of them. */
  assets: string[];
}

/** Steps that touch only the catalogue; any worker may do them. */
export interface ControlActivities extends GameDayControl {
  beginJob(input: BeginJob): Promise<JobPlan>;
  beginAsset(input: AssetStep): Promise<void>;
  endAsset(input: AssetStep & { outcome: AssetOutcome }): Promise<void>;
  endJob(input: { jobId: string; status: JobStatus; error: Failure | null }): Promise<void>;
  pointsToVerify(input: JobScope & { points: string[]; all: boolean }): Promise<VerifyTarget[]>;
  /** What has not arrived in that copy: newest first of each asset, a bounded number at once. Empty: all is there. */
  planSync(input: JobScope & { repository: string; without: string[] }): Promise<DueCopy[]>;
  /** What of the policy's repositories is due to be read back, and what to be rehearsed. */
  planVerification(input: JobScope): Promise<CadencePlan>;
  /** Chooses the points and holds them until the drill has ended. */
  beginDrill(input: BeginDrill): Promise<DrillPlan>;
  endDrill(input: EndDrill): Promise<JobStatus>;
  beginControlPlane(input: BeginControlPlane): Promise<ControlPlanePlan>;
  beginRestore(input: BeginRestore): Promise<RestorePlan>;
  restoreStatus(input: RestoreStatusChange): Promise<void>;
  /** Refuses what is held or used by an open restore; from then on nobody may rely on the point. */
  beginRemoval(input: RemovePoint): Promise<void>;
  /** Puts the request into the repository's queue; the answer is a signal to the holder. */
  askForLease(input: LeaseRequest & { repository: string }): Promise<void>;
  /** Returns the number of the grant. */
  recordLease(input: LeaseRequest & { repository: string; after: number }): Promise<number>;
  leaseHolderRuns(workflowId: string): Promise<boolean>;
  leaseWithdrawn(input: LeaseGrant & { repository: string }): Promise<void>;
  jobWaits(input: { jobId: string; repository: string; behind: string[]; waits: boolean }): Promise<void>;
  /** Whether damage was found there that was not repaired yet. */
  needsRepair(repository: string): Promise<boolean>;
  /** Task queue of the host that reaches the repositories. */
  hostOf(): Promise<string>;
}

export interface BeginRestore {
  restoreId: string;
  workflowId: string;
  asset: string;
  /** A point's id, or `latest`. */
  point: string;
  /** RFC 3339: the newest point taken at or before it. */
  time: string | null;
  include: string[];
  to: string | null;
  /** Repository to restore from; null: the first that holds the point undamaged. */
  from: string | null;
  /** Repositories that were tried and cannot be read. */
  not?: string[];
  actor: string;
  /** Of the host it has to be on. Absent: of whichever begins it. */
  hostQueue?: string;
}

export interface RestorePlan {
  restoreId: string;
  /** Digest of the applied configuration. */
  configuration: string;
  asset: string;
  point: string;
  repository: string;
  /** Where the safety point goes. Absent in old histories. */
  safetyRepository?: string;
  include: string[];
  to: string | null;
  hostQueue: string;
  bytes: number;
}

export interface RestoreStatusChange {
  restoreId: string;
  status: RestoreStatus;
  error?: Failure | null;
  validation?: ProofReport;
  impact?: Impact;
  estimateSeconds?: number | null;
  measuredSeconds?: number;
  safetyPointId?: string | null;
  expiresAt?: string;
}

export interface GuardInput extends AssetStep {
  repository: string;
  step: 'store' | 'copy';
  /** The point that is copied; null: it is still to be taken. */
  point: string | null;
}

/** RFC 3339: when to ask again, as the day's upload budget is used up; null: it may begin. */
export interface GuardVerdict {
  goesOnAt: string | null;
}

/** Steps that need the host's files; they run on the host's own task queue. */
export interface HostActivities extends GameDayActivities {
  preflightAsset(input: AssetStep): Promise<void>;
  /** Throws where there is no room, or none for this asset. */
  guardUpload(input: GuardInput): Promise<GuardVerdict>;
  runHooks(input: AssetStep & { when: 'before' | 'after' }): Promise<void>;
  /** Captures the asset, stores it in the repository and records the point. */
  snapshotAsset(
    input: PointStep &
      Leased & { repository: string; manifest: boolean; repaired?: boolean; tags?: string[] },
  ): Promise<SnapshotOutcome>;
  /** `repaired`, here and above: damage was seen to before. Absent in old histories. */
  copyPoint(input: PointStep & Leased & { from: string; to: string; repaired?: boolean }): Promise<void>;
  /** Under an exclusive lease: a damaged copy of a point that is whole elsewhere makes room for a new one. */
  clearDamagedCopy(input: PointStep & Leased & { from: string; to: string }): Promise<void>;
  /** Under an exclusive lease. Nothing is done when somebody else has repaired it meanwhile. */
  repairRepository(input: AssetStep & { repository: string; fence?: number }): Promise<void>;
  /** Reads back every byte of these points, or of every regular one of the asset, in that repository. */
  verifyPoints(input: AssetStep & { points: string[]; repository: string; every?: true }): Promise<void>;
  /** Reads back every byte of one group of a repository, and marks whatever is hurt by damage there. */
  readGroup(input: JobScope & { repository: string; group: number; groups: number }): Promise<GroupOutcome>;
  /** Where every group was read since the cycle began: what was stored before is verified, and the next begins. */
  endReadingCycle(input: JobScope & { repository: string; groups: number }): Promise<void>;
  /** The whole of a drill in its clean room, which is gone when it returns. A failure of the data is in the record. */
  holdDrill(plan: DrillPlan): Promise<DrillRecord>;
  /** Ends what a lost attempt left running there, and removes the room. */
  clearDrill(plan: DrillPlan): Promise<void>;
  /** Restores the point from that repository into a sandbox and runs its checks. */
  provePoint(input: PointStep & { repository: string }): Promise<void>;

  /** Records what goes, or refuses. `leftovers`: snapshots that belong to no point. */
  planRetention(
    input: RetentionStep & { confirm: boolean; actor: string },
  ): Promise<{ there: boolean; leftovers: string[] }>;
  forgetPlanned(input: RetentionStep & { leftovers: string[] }): Promise<void>;
  pruneRepository(input: RetentionStep): Promise<{ freedBytes: number; remainingBytes: number }>;
  checkRepository(input: RetentionStep & { freedBytes: number; remainingBytes: number }): Promise<void>;

  /** Stores the control plane's own recovery point there; null where the repository was never made. */
  storeControlPlane(input: StoreControlPlane): Promise<{ point: string | null }>;

  checkRestoreTarget(plan: RestorePlan): Promise<void>;
  stageRestore(input: RestorePlan & Leased): Promise<void>;
  /** `integrity`: absent where it could not be opened, and in old histories. */
  validateRestore(plan: RestorePlan): Promise<ProofReport & { integrity?: DrillIntegrity }>;
  previewRestore(plan: RestorePlan): Promise<{ impact: Impact; estimateSeconds: number | null }>;
  /** Of `safetyRepository`, under its exclusive lease. */
  repairForSafety(input: RestorePlan & Leased): Promise<void>;
  /** Returns the safety point's id, or null where nothing was there to keep. */
  takeSafetyPoint(input: RestorePlan & Leased & { safetyPoint: string }): Promise<string | null>;
  runRestoreCommands(input: RestorePlan & { which: 'stop' | 'start' }): Promise<void>;
  swapRestore(plan: RestorePlan): Promise<void>;
  checkHealth(plan: RestorePlan): Promise<void>;
  undoRestore(plan: RestorePlan): Promise<void>;
  settleRestore(plan: RestorePlan): Promise<void>;
  /** Removes staging and scratch servers of the restore; the target is not touched. */
  releaseRestore(plan: RestorePlan): Promise<void>;

  /** One folder of a point, at most 2,000 entries. */
  listFiles(input: { point: string; path: string }): Promise<PointFile[]>;
  /** Forgets the point's engine snapshots there, then the catalogue's copy. */
  removeCopy(input: RemoveCopy): Promise<void>;
  /**
   * Returns the ids of the points that were made of foreign snapshots; where none is named, also of those that
   * Holdfast made itself and the catalogue does not know.
   */
  adoptSnapshots(input: AdoptSnapshots): Promise<string[]>;
}

/** Steps that speak to the channels of the configuration; any worker may do them. */
export interface NotifyActivities {
  /** Each channel's answer to a test message; of all of them, where none is named. */
  testChannels(input: { channel: string | null; actor: string }): Promise<ChannelTest[]>;
}

export interface ChannelTest {
  channel: string;
  type: string;
  accepted: boolean;
  /** The other side's own, where it took the message. */
  words: string;
  error: Failure | null;
}

export interface PointFile {
  path: string;
  type: 'file' | 'dir' | 'symlink' | 'other';
  size: number;
  modifiedAt: string;
}

export interface AdoptSnapshots {
  asset: string;
  repository: string;
  snapshots: string[];
  actor: string;
}

export interface RemovePoint {
  point: string;
  repositories: string[];
  reason: string;
  actor: string;
}

export interface RemoveCopy extends Omit<RemovePoint, 'repositories'> {
  repository: string;
  /** Of the exclusive lease it is done under. Absent in old histories. */
  fence?: number;
}

export interface SnapshotOutcome {
  bytes: number;
  addedBytes: number;
  /** Not null: some files could not be read. The point exists and is copied, but is never a success. */
  partial: Failure | null;
}
