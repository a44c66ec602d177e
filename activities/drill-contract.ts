import type { DrillOutcome } from '../domain/evidence/outcome.ts';
import type { DrillRecord } from '../domain/evidence/record.ts';
import type { Failure, Trigger } from '../domain/job.ts';
import type { GameDayTimes } from './game-day-contract.ts';

// What the drill's workflow knows of the hands: as in contract.ts, which gives it out.

export interface BeginDrill {
  drillId: string;
  workflowId: string;
  drill: string;
  trigger: Trigger;
  /** When its schedule wanted it; null: nobody's did. */
  dueAt: string | null;
  actor: string;
  /** Absent: it is held in a clean room. */
  gameDay?: true;
}

/** What a drill is going to do, decided once at its beginning. */
export interface DrillPlan {
  drillId: string;
  drill: string;
  /** Digest of the configuration it was begun with. */
  configuration: string;
  /** The copy everything comes from. */
  repository: string;
  hostQueue: string;
  actor: string;
  /** As far as it is known before anything was fetched. */
  record: DrillRecord;
  /** Of a game day. */
  gameDay?: GameDayTimes;
}

export interface EndDrill {
  drillId: string;
  /** null: it was cancelled, or never came to a plan. */
  record: DrillRecord | null;
  evidence: RecordedEvidence | null;
  /** Why it came to no evidence. */
  error: Failure | null;
  actor: string;
}

/** On the queue of the host that has the audit chain's key. */
export interface EvidenceActivities {
  /** Signs, records and writes the evidence of a drill that has ended; of one drill only once. */
  recordEvidence(input: RecordEvidence): Promise<RecordedEvidence>;
}

export interface RecordEvidence {
  record: DrillRecord;
  /** Where the signed file and its renderings go as well; null: as configured, or into the data directory alone. */
  folder: string | null;
  actor: string;
}

export interface RecordedEvidence {
  sequence: number;
  /** Derived from the record: nobody else says whether a drill passed. */
  outcome: DrillOutcome;
  /** SHA-256 of the signed file, as on the audit chain. */
  digest: string;
  /** The signed file. */
  path: string;
}
