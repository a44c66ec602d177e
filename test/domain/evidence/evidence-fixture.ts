// Keys, records and signed evidence for the tests.

import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { Signatures } from '../../../domain/audit-export.ts';
import { keyIdOf, rotationText } from '../../../domain/audit-keys.ts';
import type { EvidenceFile } from '../../../domain/evidence/check.ts';
import type { EvidenceSigner } from '../../../domain/evidence/envelope.ts';
import { evidenceFiles } from '../../../domain/evidence/files.ts';
import { MANIFEST_FILE, sealManifest } from '../../../domain/evidence/manifest.ts';
import type { DrilledAsset, DrillRecord, IntegrityFigures } from '../../../domain/evidence/record.ts';
import type { Handover } from '../../../domain/evidence/signed-by.ts';
import { EVIDENCE_START, sealEvidence } from '../../../domain/evidence/statement.ts';

export const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

export const signatures: Signatures = {
  sha256,
  verifies: (publicKey, text, signature) => {
    try {
      const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
      return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
    } catch {
      return false;
    }
  },
};

export function newSigner(): EvidenceSigner {
  const { privateKey, publicKey: half } = generateKeyPairSync('ed25519');
  const publicKey = half.export({ type: 'spki', format: 'der' }).toString('base64');
  return {
    publicKey,
    keyId: keyIdOf(publicKey, sha256),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
  };
}

export function handover(from: EvidenceSigner, to: EvidenceSigner, by = from): Handover {
  const { publicKey } = to;
  return {
    previous: from.keyId,
    publicKey,
    signature: by.sign(rotationText({ previous: from.keyId, publicKey })),
  };
}

export function pem({ publicKey }: EvidenceSigner): string {
  return `-----BEGIN PUBLIC KEY-----\n${publicKey}\n-----END PUBLIC KEY-----\n`;
}

const FIGURES: IntegrityFigures = {
  files: 12,
  bytes: 4096,
  digest: 'd'.repeat(64),
  tables: null,
  rows: null,
};

export function drilledAsset(changes: Partial<DrilledAsset> = {}): DrilledAsset {
  return {
    ...{ asset: 'uploads', assetType: 'directory', class: 'critical', owner: 'anna', policy: 'critical' },
    point: {
      ...{ id: 'p-1', takenAt: '2026-11-21T02:00:00.000Z', ageSeconds: 3600, proof: 'verified' },
      parts: [{ name: 'files', snapshotId: 'a'.repeat(64) }],
    },
    restored: true,
    rpo: { objectiveSeconds: 7200, achievedSeconds: 3600 },
    rto: { objectiveSeconds: 600, achievedSeconds: 41 },
    integrity: { expected: FIGURES, restored: FIGURES, differences: [] },
    checks: [{ name: 'exists index.html', ok: true, detail: '' }],
    ...changes,
  };
}

export function drillRecordOf(changes: Partial<DrillRecord> = {}): DrillRecord {
  return {
    drill: {
      id: 'drill-1',
      name: 'quarterly',
      trigger: 'scheduled',
      dueAt: '2026-11-21T03:00:00.000Z',
      retests: [],
    },
    scenario: 'siteLoss',
    configuration: { digest: 'c'.repeat(64), policies: ['critical'] },
    sampling: { rule: 'latest', windowSeconds: null, seed: null, candidates: 4 },
    source: { repository: 'offsite', type: 'restic', location: 's3:https://s3.example.org/bucket' },
    startedAt: '2026-11-21T03:00:02.000Z',
    endedAt: '2026-11-21T03:04:10.000Z',
    clock: { source: 'chrony', synchronised: true, offsetSeconds: 0.002 },
    objectives: { rtoSeconds: 14_400, rpoSeconds: 7200 },
    measured: { rtoSeconds: 230, rpoSeconds: 3600 },
    assets: [drilledAsset()],
    phases: [{ name: 'restore', startedAt: '2026-11-21T03:00:10.000Z', seconds: 200 }],
    smoke: [{ name: 'GET /api/health', ok: true, detail: '200' }],
    production: [{ asset: 'uploads', method: 'digests', before: 'e'.repeat(64), after: 'e'.repeat(64) }],
    keys: [{ repository: 'offsite', reference: 'file:/media/escrow/offsite.key', from: 'escrow' }],
    tools: [{ name: 'restic', version: '0.18.1', sha256: 'f'.repeat(64) }],
    commands: [
      {
        asset: 'uploads',
        tool: 'restic',
        arguments: ['restore', 'aaaa', '--target', '…'],
        exitCode: 0,
        seconds: 41,
      },
    ],
    failures: [],
    actions: [],
    environment: { kind: 'localProcesses', host: 'backup-1', platform: 'linux x64', holdfast: '0.1.0' },
    operator: 'schedule',
    approver: null,
    ...changes,
  };
}

/** The record of drill number `n`, a day after the one before. */
export function nth(n: number, changes: Partial<DrillRecord> = {}): DrillRecord {
  const record = drillRecordOf(changes);
  const day = String(n).padStart(2, '0');
  return {
    ...record,
    drill: { ...record.drill, id: `drill-${n}`, dueAt: `2026-11-${day}T03:00:00.000Z` },
    startedAt: `2026-11-${day}T03:00:02.000Z`,
    endedAt: `2026-11-${day}T03:04:10.000Z`,
  };
}

export interface Signing {
  record: DrillRecord;
  signer: EvidenceSigner;
  handovers?: Handover[];
}

/** One after another, as the catalogue would keep them. */
export function series(signings: Signing[]): string[] {
  const envelopes: string[] = [];
  for (const { record, signer, handovers = [] } of signings) {
    const last = envelopes.at(-1);
    const place = {
      sequence: envelopes.length + 1,
      previous: last === undefined ? EVIDENCE_START : sha256(last),
      recordedAt: record.endedAt,
      handovers,
    };
    envelopes.push(sealEvidence(record, place, signer, sha256));
  }
  return envelopes;
}

/** The folder of an export. */
export function exportOf(
  envelopes: string[],
  signer: EvidenceSigner,
  handovers: Handover[] = [],
): EvidenceFile[] {
  const files = envelopes.flatMap((envelope) => evidenceFiles(envelope, sha256(envelope)));
  const sequenceOf = (text: string) => (envelopes.includes(text) ? envelopes.indexOf(text) + 1 : null);
  const listed = files.map(({ name, text }) => ({ name, sha256: sha256(text), sequence: sequenceOf(text) }));
  const manifest = {
    madeAt: '2026-12-01T00:00:00.000Z',
    period: { from: null, to: null },
    files: listed,
  };
  return [...files, { name: MANIFEST_FILE, text: sealManifest(manifest, handovers, signer) }];
}
