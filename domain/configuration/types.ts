// The configuration as the program uses it: normalised, with every default filled in. Durations are seconds,
// sizes bytes, paths absolute; what was left out is null. Plain JSON, so it can travel through Temporal: it
// holds references to secrets, never secrets. Only types: workflows import this file.

import type { Window } from '../cadence/window.ts';
import type { RequiredProof } from '../proof.ts';
import type { Drill } from './drill-types.ts';
import type { NotificationChannel } from './notification-types.ts';
import type { SecretReference } from '../secret-reference.ts';

export interface Configuration {
  version: 1;
  /** Absolute; where the file is, and where commands run. */
  folder: string;
  dataDir: string;
  /** null: the embedded development server. */
  temporal: { address: string; namespace: string } | null;
  /** null: the embedded PostgreSQL. */
  catalog: { url: DatabaseUrlSource } | null;
  ports: Ports;
  /** How long a key outlives its job. Absent in configurations applied before this could be said. */
  idempotency?: { keepSeconds: number };
  repositories: Repository[];
  assets: Asset[];
  policies: Policy[];
  /** Absent where none is configured. */
  drills?: Drill[];
  /** Where else the evidence of drills goes, beside the data directory. Absent: nowhere. */
  evidence?: { folder: string };
  /** Absent: a recovery kit is written when somebody asks for it only. */
  kit?: { recipients: string[]; folder: string };
  /** Absent where nothing is said of it. */
  controlPlane?: ControlPlane;
  /** Absent in configurations that were applied before there were channels. */
  notifications?: NotificationChannel[];
}

/** When and where the control plane stores itself. */
export interface ControlPlane {
  everySeconds: number;
  /** null: all that policies use. */
  repositories: string[] | null;
}

/** Fixed ports of the embedded stack on loopback; null takes a free one. */
export interface Ports {
  temporal: number | null;
  temporalUi: number | null;
  catalog: number | null;
  api: number | null;
  /** null: no metrics endpoint is opened. */
  metrics: number | null;
}

/** A URL without a password may be written out (`literal`); any other stands behind a reference. */
export type DatabaseUrlSource = SecretReference | { readonly kind: 'literal'; readonly value: string };

export interface Repository {
  name: string;
  type: 'restic';
  /** As restic's `-r` takes it; a local path is absolute. */
  url: string;
  password: SecretReference;
  /** Variables restic gets, by name. */
  env: Record<string, SecretReference>;
  limits: Limits;
  /** null: its size is not known. Absent in configurations applied before there were watermarks. */
  headroom?: Headroom | null;
  /** Its store keeps what was written from being deleted for so long. Absent: nothing does. */
  immutability?: Immutability;
  /** For sftp: URLs. Absent: what ssh is configured with for the worker's user. */
  ssh?: RepositorySsh;
}

/** Absolute paths. */
export interface RepositorySsh {
  /** The only key that is offered. */
  identityFile?: string;
  /** The only file in which the host's key is looked up. */
  knownHostsFile?: string;
}

export interface Immutability {
  mode: 'governance' | 'compliance';
  days: number;
}

export interface Limits {
  /** null: as fast as it goes. */
  uploadBytesPerSecond: number | null;
  /** null: no budget. Absent in configurations applied before there were budgets. */
  dailyUpload?: DailyUpload | null;
}

export interface DailyUpload {
  bytes: number;
  /** When a day begins, in seconds after midnight UTC. */
  resetSeconds: number;
}

export interface Headroom {
  highPercent: number;
  lowPercent: number;
  /** null: that of the file system it lies on. */
  capacityBytes: number | null;
}

export type DataClass = 'critical' | 'standard' | 'rebuildable';

export type Asset = PostgresAsset | SqliteAsset | DirectoryAsset;

interface AssetBase {
  name: string;
  /** Whose history is this one's; absent where nothing was renamed, so that its digest stays what it was. */
  renamedFrom?: string;
  /** Who answers for it; absent: nobody is named. */
  owner?: string;
  class: DataClass;
  restore: RestorePlan;
  hooks: Hooks;
}

export interface PostgresAsset extends AssetBase {
  type: 'postgres';
  url: DatabaseUrlSource;
  method: 'dump';
  /** Each must answer with one row whose first column is true, on the restored copy. */
  checks: SqlCheck[];
}

export interface SqliteAsset extends AssetBase {
  type: 'sqlite';
  path: string;
  /** A smaller source fails the backup: it is empty, truncated or not mounted. */
  expect: { minBytes: number };
}

export interface DirectoryAsset extends AssetBase {
  type: 'directory';
  path: string;
  /** restic's exclude patterns. */
  exclude: string[];
  /** A source with less fails the backup: it is empty or not mounted. Counted after exclusion. */
  expect: { minFiles: number; minBytes: number };
}

export interface SqlCheck {
  sql: string;
}

/** Program and arguments, never given to a shell. A program written as a relative path is made absolute. */
export type Command = [program: string, ...words: string[]];

export interface RestorePlan {
  stop: Command[];
  start: Command[];
  health: HealthCheck[];
}

export type HealthCheck =
  | { kind: 'command'; command: Command }
  | { kind: 'http'; url: string }
  /** On postgres and sqlite assets only; one row whose first column is true. */
  | { kind: 'sql'; sql: string };

export interface Hooks {
  before: Command[];
  after: Command[];
  onError: 'fail' | 'continue';
}

export interface Policy {
  name: string;
  /** As an asset's. */
  renamedFrom?: string;
  assets: string[];
  cadence: Cadence;
  timing: Timing;
  repository: string;
  copies: PolicyCopy[];
  /** null: nothing was said, and nothing is ever dropped. */
  retention: PolicyRetention | null;
  proof: RequiredProof;
  objectives: Objectives;
  /** null: nothing is read back beside what each backup does itself. Absent in documents of earlier versions. */
  verification?: Verification | null;
}

export interface Verification {
  cadence: Cadence;
  /** Share of a repository to read in each run, above 0 and up to 1; null: as much as `within` needs. */
  readShare: number | null;
  /** Every stored byte is read back at least this often. */
  withinSeconds: number;
  /** The newest point of each asset is rehearsed at least this often; null: only as the policy's proof asks. */
  rehearseSeconds: number | null;
}

export interface PolicyCopy {
  repository: string;
  /** null: the policy's own. */
  retention: PolicyRetention | null;
  /** When points travel there, by a pipeline of their own. Absent: with each backup. */
  cadence?: Cadence;
  /** A point may wait so long for its way there. Absent: nothing is asked of it. */
  lagSeconds?: number;
}

/** A cron expression has five fields, or is one of `@hourly` … `@yearly`; times are UTC. */
export type Cadence = { kind: 'every'; seconds: number } | { kind: 'cron'; expression: string };

export interface Timing {
  /** When retention, reading back and rehearsals may begin; null: at any time. */
  window: Window | null;
  jitterSeconds: number | null;
  /** null: one period of the cadence, so that one missed run is made up for. */
  catchUpSeconds: number | null;
  /** What becomes of a run that is due while the one before still runs: left out, or begun when that has ended. */
  overlap: 'skip' | 'queue';
}

/** restic's words; null where a word was not given. At least one keeps something. */
export interface Retention {
  keepLast: number | null;
  keepHourly: number | null;
  keepDaily: number | null;
  keepWeekly: number | null;
  keepMonthly: number | null;
  keepYearly: number | null;
  keepWithinSeconds: number | null;
  keepWithinHourlySeconds: number | null;
  keepWithinDailySeconds: number | null;
  keepWithinWeeklySeconds: number | null;
  keepWithinMonthlySeconds: number | null;
  keepWithinYearlySeconds: number | null;
  /** A point with any of these stays. Absent: none was given. */
  keepTags?: string[];
}

export interface PolicyRetention extends Retention {
  /** The part of an asset's points that one run may drop unconfirmed. Absent: half of them. */
  maxDropShare?: number;
}

export interface Objectives {
  rpoSeconds: number | null;
  rtoSeconds: number | null;
  provenWithinSeconds: number | null;
  /** Of backups, 0 to 1. Absent in configurations that were applied before there was one. */
  successRate?: number | null;
}
