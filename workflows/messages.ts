import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { AssetOutcome } from '../activities/contract.ts';
import type { Window } from '../domain/cadence/window.ts';
import type { Trigger } from '../domain/job.ts';
import type { LeaseRequest, LeaseState } from '../domain/lease.ts';

// Names a person can type: `temporal workflow update execute --workflow-id restore/r-19 --name commit`.

export interface BackupInput {
  policy: string;
  /** Empty or absent: every asset of the policy. */
  assets?: string[];
  /** Words for the points it makes; absent: none. */
  tags?: string[];
  /** Absent on a scheduled run. */
  jobId?: string;
  trigger?: Trigger;
  actor?: string;
}

/** What a Schedule gives the pipelines it starts. */
export interface ScheduledInput {
  policy: string;
  trigger: 'schedule';
  actor: 'schedule';
  /** Of a sync: where to. */
  repository?: string;
  /** It begins its work when this is open; absent: at once. */
  window?: Window;
}

export interface SyncInput {
  policy: string;
  /** The copy's. */
  repository: string;
  /** Absent on a scheduled run. */
  jobId?: string;
  trigger?: Trigger;
  actor?: string;
  /** What became of its assets before it was continued as new. */
  outcomes?: Record<string, AssetOutcome>;
}

export interface VerifyInput {
  policy: string;
  jobId: string;
  actor: string;
  /** These points; empty: the newest of each asset, or every one with `all`. */
  points: string[];
  all: boolean;
}

/** What is due now decides what is read: see domain/verification. */
export interface VerifyCadenceInput {
  policy: string;
  /** Absent on a scheduled run. */
  jobId?: string;
  trigger?: Trigger;
  actor?: string;
  /** It begins when this is open; absent: at once. */
  window?: Window;
}

export interface DrillInput {
  drill: string;
  /** Absent on a scheduled run. */
  drillId?: string;
  trigger?: Trigger;
  actor?: string;
}

export interface GameDayInput {
  drill: string;
  drillId: string;
  actor: string;
}

export interface ControlPlaneInput {
  /** Where it is stored. */
  repository: string;
  jobId?: string;
  trigger?: Trigger;
  actor?: string;
}

export interface RestoreInput {
  restoreId: string;
  asset: string;
  point: string;
  time: string | null;
  include: string[];
  to: string | null;
  from: string | null;
  actor: string;
  expirySeconds: number;
  /** Committed as soon as it is prepared: whoever asks has decided beforehand. Absent: it waits for a person. */
  commitAtOnce?: true;
  /** Of the host it has to be on. Absent: of whichever begins it. */
  hostQueue?: string;
}

/** Accepted while the restore is `prepared`; the swap goes on after the answer. */
export const commit = defineUpdate<void>('commit');
/** Accepted until a commit was. */
export const cancel = defineUpdate<void>('cancel');
export const phase = defineQuery<string>('phase');

export interface LookInput {
  point: string;
  /** Absolute, inside the point; `/` lists its top. */
  path: string;
}

export interface RemovePointInput {
  point: string;
  /** Whose copies go. */
  repositories: string[];
  reason: string;
  actor: string;
}

export interface NotifyTestInput {
  /** null: every one. */
  channel: string | null;
  actor: string;
}

export interface AdoptInput {
  asset: string;
  repository: string;
  /**
   * Engine snapshots; empty: every foreign one that holds the asset's path, and what Holdfast itself made of the
   * asset and the catalogue does not know.
   */
  snapshots: string[];
  actor: string;
}

export interface RetentionInput {
  policy: string;
  /** Absent on a scheduled run. */
  jobId?: string;
  trigger?: Trigger;
  actor?: string;
  /** Goes ahead in spite of what would stop it; the actor answers for it. */
  confirm?: boolean;
  /** It begins when this is open; absent: at once. */
  window?: Window;
}

export interface LeaseInput {
  repository: string;
  /** Absent on the first run. */
  state?: LeaseState;
}

/** `lease/offsite`: one for each repository. */
export function leaseWorkflowId(repository: string): string {
  return `lease/${repository}`;
}

/** To the queue of a repository. */
export const askForLease = defineSignal<[LeaseRequest]>('askForLease');
export const giveLeaseBack = defineSignal<[{ key: string }]>('giveLeaseBack');
export const leaseHolders = defineQuery<LeaseState>('holders');
/** To whoever asked: the lease is theirs, or who is before them. */
export const leaseGranted =
  defineSignal<[{ repository: string; key: string; fence: number }]>('leaseGranted');
export const leaseAwaited =
  defineSignal<[{ repository: string; key: string; behind: string[] }]>('leaseAwaited');
