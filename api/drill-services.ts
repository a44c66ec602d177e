// What the routes of drills need from the rest of the house.

import type { Approval, Page, Retest } from '../catalog/index.ts';
import type { DrillOutcome } from '../domain/evidence/outcome.ts';
import type {
  CorrectiveAction,
  DrilledAsset,
  DrillMoment,
  DrillPhase,
  DrillScenario,
} from '../domain/evidence/record.ts';
import type { JobStatus } from '../domain/job.ts';
import type { Actor, IdempotencyKey, Once, PageRequest } from './services.ts';

export interface DrillItem {
  id: string;
  name: string;
  scenario: DrillScenario;
  workflowId: string;
  /** It takes the service itself down. */
  gameDay: boolean;
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
  /** Of a game day. */
  timeline: DrillMoment[];
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

export interface DrillRequest {
  drill: string;
  gameDay: boolean;
  /** Of a game day: the drill's name once more, as it destroys what is there. */
  confirm: string | null;
}

export interface DrillServices {
  startDrill(actor: Actor, request: DrillRequest, key: IdempotencyKey | null): Promise<Once<DrillItem>>;
  /** `confirmation.missing` where it has to be somebody other than who ran the drill. */
  approveDrill(actor: Actor, id: string, note: string): Promise<DrillItem>;
  getDrill(id: string): Promise<DrillItem>;
  listDrills(filter: { drill: string | null }, page: PageRequest): Promise<Page<DrillItem>>;
}
