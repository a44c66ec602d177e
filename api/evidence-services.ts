// What the routes of evidence need from the rest of the house.

import type { EvidenceEntry, Page } from '../catalog/index.ts';
import type { EvidenceFile } from '../domain/evidence/check.ts';
import type { ControlReport } from '../domain/evidence/report.ts';
import type { Actor, PageRequest } from './services.ts';

/** Drills that ended from then on and before that; null: no bound. */
export interface EvidencePeriod {
  from: string | null;
  to: string | null;
}

export interface EvidenceItem extends EvidenceEntry {
  /** The signed file's text. */
  envelope: string;
}

export interface EvidenceServices {
  listEvidence(
    filter: EvidencePeriod & { drill: string | null },
    page: PageRequest,
  ): Promise<Page<EvidenceEntry>>;
  /** By its number, the drill's id or a unique beginning of it. */
  getEvidence(id: string): Promise<EvidenceItem>;
  /** The signed files with their renderings, oldest first, and the signed manifest. */
  exportEvidence(actor: Actor, period: EvidencePeriod): AsyncIterable<EvidenceFile>;
  reportEvidence(period: { from: string; to: string }): Promise<ControlReport>;
}
