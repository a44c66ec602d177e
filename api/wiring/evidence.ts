// Evidence out of the catalogue: what leaves as an export is signed as a whole, and what a report counts was
// checked first.

import { createHash } from 'node:crypto';
import type { Approval } from '../../catalog/index.ts';
import type { EvidenceFile } from '../../domain/evidence/check.ts';
import { evidenceFiles, statementIn } from '../../domain/evidence/files.ts';
import { MANIFEST_FILE, sealManifest, type ManifestEntry } from '../../domain/evidence/manifest.ts';
import { controlReport, type ControlReport } from '../../domain/evidence/report.ts';
import type { Statement } from '../../domain/evidence/statement.ts';
import { drillsDue } from '../../domain/drills/due.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { EvidencePeriod, EvidenceServices } from '../evidence-services.ts';
import type { Actor } from '../services.ts';
import type { Parts } from './parts.ts';

export function evidenceServices(parts: Parts): EvidenceServices {
  const { catalog } = parts;
  return {
    listEvidence: (filter, page) => catalog.evidence.list({ ...filter, ...page }),
    getEvidence: (id) => catalog.evidence.find(id),
    exportEvidence: (actor, period) => exported(parts, actor, period),
    reportEvidence: (period) => reported(parts, period),
  };
}

async function* exported(
  { catalog, auditKey, clock = () => new Date() }: Parts,
  actor: Actor,
  period: EvidencePeriod,
): AsyncGenerator<EvidenceFile> {
  await catalog
    .as(actor.name)
    .audit.append({ action: 'evidence.exported', subject: 'evidence', details: { ...period } });
  const files: ManifestEntry[] = [];
  for await (const { envelope, digest, sequence } of catalog.evidence.stream(period)) {
    for (const file of evidenceFiles(envelope, digest)) {
      const signed = file.text === envelope;
      files.push({ name: file.name, sha256: sha256(file.text), sequence: signed ? sequence : null });
      yield file;
    }
  }
  const { keys } = await catalog.evidence.head();
  const signer = auditKey.signer();
  const handovers = keys.get(signer.keyId);
  if (!handovers) throw anotherKey(signer.keyId, [...keys.keys()].join(', ') || 'none');
  const manifest = { madeAt: clock().toISOString(), period, files };
  yield { name: MANIFEST_FILE, text: sealManifest(manifest, handovers, signer) };
}

async function reported(
  { catalog, clock = () => new Date() }: Parts,
  period: { from: string; to: string },
): Promise<ControlReport> {
  const statements: Statement[] = [];
  const later: Statement[] = [];
  const approvals = new Map<number, Approval>();
  for await (const one of catalog.evidence.stream({ from: period.from })) {
    const inPeriod = Date.parse(one.endedAt) < Date.parse(period.to);
    (inPeriod ? statements : later).push(statementIn(one.envelope));
    if (one.approval) approvals.set(one.sequence, one.approval);
  }
  const history = await catalog.drills.configured();
  // A schedule that never was says nothing of what should have been held.
  const known = history.some(({ drills }) => drills.some(({ cadence }) => cadence !== null));
  const due = known ? drillsDue(history, new Date(period.from), new Date(period.to)) : null;
  return controlReport({ period, statements, later, approvals, due }, clock());
}

function anotherKey(own: string, named: string): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: 'the export of evidence was not signed',
    cause: `this service has the key ${own}, and the chain names ${named}: it was rotated just now, or elsewhere`,
    hint: 'export again; on several machines, from the one whose `keys` folder has that key',
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
