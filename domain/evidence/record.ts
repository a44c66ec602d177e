// What a drill hands over when it has ended: facts only, in the order an auditor asks for them. Whether that was
// a pass is nobody's to say: `outcome.ts` derives it. No secret stands in it: keys are references, arguments are
// redacted by who ran the commands.

/** Times are RFC 3339 in UTC, durations in seconds, sizes in bytes, digests SHA-256 in hex unless said. */
export interface DrillRecord {
  drill: {
    id: string;
    /** As configured: `quarterly`. */
    name: string;
    trigger: 'scheduled' | 'manual' | 'gameDay';
    /** The nominal time it was due; null: nobody's schedule asked for it. */
    dueAt: string | null;
    /** Corrective actions of earlier drills that this one tests again. */
    retests: { drill: string; action: string }[];
    /** Who answers for it, as configured; absent: nobody is named. */
    owner?: string;
  };
  scenario: DrillScenario;
  configuration: {
    /** Of the applied configuration: the version of every policy in it. */
    digest: string;
    policies: string[];
  };
  sampling: {
    rule: 'latest' | 'random';
    /** Of `random`: only points not older than this could be chosen. */
    windowSeconds: number | null;
    /** Of `random`: the same seed over the same points chooses the same again. */
    seed: string | null;
    /** How many points there were to choose from. */
    candidates: number;
  };
  /** The copy everything came from. */
  source: { repository: string; type: string; location: string };
  startedAt: string;
  endedAt: string;
  clock: {
    /** `systemd-timesyncd`, `chrony`, `unknown`, … */
    source: string;
    synchronised: boolean | null;
    offsetSeconds: number | null;
  };
  /** Of the whole drill; null: none is set. */
  objectives: { rtoSeconds: number | null; rpoSeconds: number | null };
  /** null: it did not come so far that there was something to measure. */
  measured: { rtoSeconds: number | null; rpoSeconds: number | null };
  assets: DrilledAsset[];
  phases: DrillPhase[];
  /** Of a game day: what happened when, in its order. */
  timeline?: DrillMoment[];
  /** Of the whole drill; those of one asset stand there. */
  smoke: DrillCheck[];
  production: ProductionProof[];
  /** How the source's key was come by: `file:/media/escrow/offsite.key`; never what it is. */
  keys: { repository: string; reference: string; from: string }[];
  tools: { name: string; version: string; sha256: string | null }[];
  commands: DrillCommand[];
  failures: DrillFailure[];
  actions: CorrectiveAction[];
  environment: { kind: string; host: string; platform: string; holdfast: string };
  /** Who started it, and who signed it off; null: nobody had to. */
  operator: string;
  approver: string | null;
}

export type DrillScenario = 'assetLoss' | 'hostLoss' | 'siteLoss' | 'keyLoss';

export interface DrilledAsset {
  asset: string;
  assetType: string;
  class: string;
  owner: string | null;
  policy: string | null;
  /** null: there was none to restore. */
  point: DrilledPoint | null;
  /** Its data came back, as far as the engine can tell. */
  restored: boolean;
  rpo: { objectiveSeconds: number | null; achievedSeconds: number | null };
  rto: { objectiveSeconds: number | null; achievedSeconds: number | null };
  /** null: it was not compared. */
  integrity: DrillIntegrity | null;
  /** The asset's own. */
  checks: DrillCheck[];
}

export interface DrilledPoint {
  id: string;
  takenAt: string;
  /** At the moment of the loss that was played. */
  ageSeconds: number;
  /** Its proof before this drill. */
  proof: string;
  parts: { name: string; snapshotId: string }[];
}

/** What was true when the backup was made, and what was found. */
export interface DrillIntegrity {
  expected: IntegrityFigures;
  restored: IntegrityFigures;
  /** In words, the first ones; empty: nothing else differed. */
  differences: string[];
}

/** null: this type of asset has none, or it could not be told. */
export interface IntegrityFigures {
  files: number | null;
  bytes: number | null;
  digest: string | null;
  tables: number | null;
  rows: number | null;
}

export interface DrillCheck {
  name: string;
  /** null: it was not carried out. */
  ok: boolean | null;
  detail: string;
}

export interface DrillPhase {
  /** `prepare`, `restore`, `integrity`, `checks`, `smoke`, `tearDown`; of a game day `safety`, `takeDown`, `notice`, `restore`, `back`. */
  name: string;
  startedAt: string;
  seconds: number;
}

/** `asset` null: of the whole drill. */
export interface DrillMoment {
  at: string;
  asset: string | null;
  what: string;
}

export interface DrillCommand {
  asset: string | null;
  tool: string;
  /** Redacted. */
  arguments: string[];
  /** null: it was ended by a signal. */
  exitCode: number | null;
  seconds: number;
}

export type ProductionProof =
  | { asset: string; method: 'digests'; before: string; after: string }
  | IsolatedProduction
  | { asset: string; method: 'gameDay'; why: string };

/** Data that changes by itself has no digest to compare: what shows it is that the clean room could not reach it. */
export interface IsolatedProduction {
  asset: string;
  method: 'notAccessible';
  why: string;
}

export interface DrillFailure {
  asset: string | null;
  phase: string;
  code: string;
  message: string;
  cause: string;
  hint: string;
}

export interface CorrectiveAction {
  /** Unique within the drill. */
  id: string;
  what: string;
  owner: string;
  dueAt: string | null;
  /** The drill, by name, that is to show that it helped. */
  retestBy: string;
}
