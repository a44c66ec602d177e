// Evidence of two drills, signed with a key made for the run.

import type { EvidenceItem, EvidenceServices } from '../../api/evidence-services.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { statementIn } from '../../domain/evidence/files.ts';
import { controlReport } from '../../domain/evidence/report.ts';
import { exportOf, newSigner, nth, series, sha256 } from '../domain/evidence/evidence-fixture.ts';

export const evidenceKey = newSigner();
export const evidenceEnvelopes = series([
  { record: nth(1), signer: evidenceKey },
  { record: nth(2, { measured: { rtoSeconds: 20_000, rpoSeconds: 3600 } }), signer: evidenceKey },
]);

export function evidenceDouble(): EvidenceServices {
  return {
    listEvidence: async () => ({ items: evidenceEnvelopes.map(itemOf).reverse(), next: null }),
    getEvidence: async (id: string) => {
      const item = evidenceEnvelopes.map(itemOf).find(({ sequence }) => String(sequence) === id);
      if (item) return item;
      const cause = 'no evidence has this number';
      throw new HoldfastError({
        code: 'notFound',
        message: `there is no evidence ${id}`,
        cause,
        hint: 'list',
      });
    },
    exportEvidence: async function* () {
      yield* exportOf(evidenceEnvelopes, evidenceKey);
    },
    reportEvidence: async (period: { from: string; to: string }) =>
      controlReport(
        { period, statements: evidenceEnvelopes.map(statementIn), due: null },
        new Date('2026-12-01T00:00:00Z'),
      ),
  };
}

function itemOf(envelope: string): EvidenceItem {
  const { sequence, previous, recordedAt, record, verdict, signedBy } = statementIn(envelope).predicate;
  const { scenario, startedAt, endedAt, drill } = record;
  return {
    ...{ sequence, previous, recordedAt, scenario, startedAt, endedAt, envelope },
    ...{ drillId: drill.id, drill: drill.name, outcome: verdict.outcome },
    ...{ digest: sha256(envelope), keyId: signedBy.keyId, approval: null },
  };
}
