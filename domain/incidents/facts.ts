// What conditions are derived from. Everything here is in the catalogue: nothing is raised by a pipeline, so
// nothing is lost with one.

import type { CopyState } from '../copies/lag.ts';
import type { Cadence, DataClass } from '../configuration/types.ts';
import type { DrillOutcome } from '../evidence/outcome.ts';
import type { Failure, JobStatus, JobType } from '../job.ts';
import type { AssetHealth } from '../objectives.ts';
import type { ToldBeside } from './plan.ts';

export interface IncidentFacts {
  assets: AssetFact[];
  outcomes: Outcome[];
  policies: PolicyFact[];
  repositories: RepositoryFact[];
  /** Copies that are further behind than their lag allows. */
  lateCopies: CopyState[];
  channels: ChannelFact[];
  /** Where the control plane is stored; left out: nothing is known of it. */
  controlPlane?: ControlPlaneFact[];
  /** How the last one of each configured drill ended; left out: none is. */
  drills?: DrillFact[];
  /** Drills that were due and left nothing; left out: none. */
  drillsNotHeld?: DrillRunFact[];
  /** null or absent: none was ever written, and none is configured. */
  kit?: KitFact | null;
}

/** A moment at which a drill was due, and the newest that was begun, whenever that was. */
export interface DrillRunFact {
  drill: string;
  dueAt: string;
  policies: string[];
  newest: { startedAt: string; status: JobStatus; hasVerdict: boolean } | null;
}

export interface ControlPlaneFact {
  repository: string;
  /** What is wrong with the control plane's own recovery points there; null: nothing. */
  behind: { reason: string; failure: Failure | null } | null;
  /** The repository was found in an older state, and nobody has accepted that: in words. null: it was not. */
  rolledBack: string | null;
  /** Policies that use the repository. */
  policies: string[];
}

export interface DrillFact {
  drill: string;
  id: string;
  outcome: DrillOutcome;
  reason: string;
  /** That it brings back. */
  policies: string[];
  /** By channel: the message that tells its result. */
  told: ToldBeside['told'];
}

export interface AssetFact {
  health: AssetHealth;
  dataClass: DataClass;
}

/** How the last job of a type ended for an asset of a policy, or for the policy as a whole. */
export interface Outcome {
  policy: string;
  /** null: the job failed as a whole, not for one of its assets. */
  asset: string | null;
  type: JobType;
  /** Of a sync: the copy it was to bring up to date. */
  repository?: string | null;
  status: 'success' | 'warning' | 'failed' | 'cancelled';
  jobId: string;
  error: Failure | null;
}

export interface PolicyFact {
  name: string;
  cadence: Cadence;
  /** It may begin so much later than due. */
  jitterSeconds: number | null;
  /** When it was last applied with a change: what was due before is not missed. */
  since: string;
  /** Nothing is due. */
  paused: boolean;
  /** Its newest backup, whoever started it. */
  newest: { jobId: string; startedAt: string; endedAt: string | null } | null;
}

export interface RepositoryFact {
  name: string;
  needsRepair: boolean;
  seenAt: string | null;
  /** The engine's own words. */
  words: string;
  /** How full it is, above its high watermark; null: it is not. */
  full: string | null;
  /** What was not read back in time; null: nothing. */
  unread: string | null;
  /** That use it. */
  policies: string[];
}

/** The newest recovery kit, or since when there should be one. */
export type KitFact = WrittenKitFact | { writtenAt: null; configuredAt: string };

interface WrittenKitFact {
  writtenAt: string;
  folder: string;
  /** Somebody has put it in the place of the one before. */
  confirmed: boolean;
  /** Since when it does not say what is true any more; null: it does. */
  outdatedAt: string | null;
}

export interface ChannelFact {
  name: string;
  type: string;
  /** null: the last message was taken. */
  failingSince: string | null;
  words: string;
  hint: string;
}
