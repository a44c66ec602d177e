// What the routes of drills need from the rest of the house.

import type { Page } from '../catalog/index.ts';
import type { DrillOutcome } from '../domain/evidence/outcome.ts';
import type { DrilledAsset, DrillPhase, DrillScenario } from '../domain/evidence/record.ts';
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
}

export interface DrillServices {
  startDrill(actor: Actor, name: string, key: IdempotencyKey | null): Promise<Once<DrillItem>>;
  getDrill(id: string): Promise<DrillItem>;
  listDrills(filter: { drill: string | null }, page: PageRequest): Promise<Page<DrillItem>>;
}
