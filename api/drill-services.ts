// What the routes of drills need from the rest of the house.

import type { Approval, Page, Retest } from '../catalog/index.ts';
import type { DrillOutcome } from '../domain/evidence/outcome.ts';
import type { CorrectiveAction, DrilledAsset, DrillPhase, DrillScenario } from '../domain/evidence/record.ts';
import type { JobStatus } from '../domain/job.ts';
import type { Actor, IdempotencyKey, Once, PageRequest } from './services.ts';

export interface DrillItem {
  id: string;
  name: string;
  scenario: DrillScenario;
  workflowId: string;
  repository: string;
  status: JobStatus;
  /** null: it has not ended, or was cancelled. */
  outcome: DrillOutcome | null;
  startedAt: string;
  endedAt: string | null;
  rtoSeconds: number | null;
  rpoSeconds: number | null;
  assets: DrilledAsset[];
  phases: DrillPhase[];
  /** Path of the signed file on the host that ran it; null: there is none. */
  evidence: string | null;
  /** Why it is no pass, the gravest first. */
  reasons: { asset: string | null; outcome: string; what: string }[];
  /** What has to be set right after it; empty: it passed, or has not ended. */
  actions: CorrectiveAction[];
  /** Corrective actions of earlier drills that this one tested again. */
  retests: { drill: string; action: string }[];
  /** Later drills that tested its own again. */
  retestedBy: Retest[];
  operator: string | null;
  approval: Approval | null;
}

export interface DrillServices {
  startDrill(actor: Actor, name: string, key: IdempotencyKey | null): Promise<Once<DrillItem>>;
  /** `confirmation.missing` where it has to be somebody other than who ran the drill. */
  approveDrill(actor: Actor, id: string, note: string): Promise<DrillItem>;
  getDrill(id: string): Promise<DrillItem>;
  listDrills(filter: { drill: string | null }, page: PageRequest): Promise<Page<DrillItem>>;
}
