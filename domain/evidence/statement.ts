// The statement a drill's evidence makes: in-toto's Statement v1 about the engine snapshots that were restored,
// with the drill's record and verdict as predicate. Each names the digest of the evidence before it, so that none
// can be taken out or moved; each claim has a digest of its own, so that an edit is found by name.

import { z } from 'zod';
import type { Sha256 } from '../audit-chain.ts';
import { canonicalJson } from '../canonical-json.ts';
import { seal, type EvidenceSigner } from './envelope.ts';
import { verdictOf, type DrillVerdict } from './outcome.ts';
import { drillRecord } from './record-schema.ts';
import type { DrillRecord } from './record.ts';
import { signedBy, type Handover, type SignedBy } from './signed-by.ts';
import { withoutPasswords } from './without-passwords.ts';

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const PREDICATE_TYPE = 'urn:holdfast:drill-evidence:v1';
export const STATEMENT_PAYLOAD = 'application/vnd.in-toto+json';
/** What the first evidence names as the one before it. */
export const EVIDENCE_START = '0'.repeat(64);

export interface Statement {
  _type: typeof STATEMENT_TYPE;
  subject: Subject[];
  predicateType: typeof PREDICATE_TYPE;
  predicate: Predicate;
}

export interface Subject {
  name: string;
  digest: Record<string, string>;
}

export interface Predicate {
  /** From 1, without a gap, over all drills. */
  sequence: number;
  /** SHA-256 of the file before. */
  previous: string;
  recordedAt: string;
  verdict: DrillVerdict;
  record: DrillRecord;
  signedBy: SignedBy;
  /** SHA-256 over the canonical JSON of each claim above. */
  claims: Record<string, string>;
}

/** Where it stands among all evidence. */
export interface EvidencePlace {
  sequence: number;
  previous: string;
  recordedAt: string;
  handovers: Handover[];
}

/** The signed text of the file. */
export function sealEvidence(
  given: DrillRecord,
  { sequence, previous, recordedAt, handovers }: EvidencePlace,
  signer: EvidenceSigner,
  sha256: Sha256,
): string {
  const record = withoutPasswords(given);
  const { keyId, publicKey } = signer;
  const claimed = {
    ...{ sequence, previous, recordedAt, record },
    verdict: verdictOf(record),
    signedBy: { keyId, publicKey, handovers },
  };
  const statement: Statement = {
    _type: STATEMENT_TYPE,
    subject: subjectsOf(record, sha256),
    predicateType: PREDICATE_TYPE,
    predicate: { ...claimed, claims: claimDigests(claimed, sha256) },
  };
  return seal(STATEMENT_PAYLOAD, statement, signer);
}

/**
 * The engine snapshots everything came from. restic names a snapshot by the SHA-256 of its file. A drill that
 * found none speaks of itself.
 */
export function subjectsOf(record: DrillRecord, sha256: Sha256): Subject[] {
  const subjects = record.assets.flatMap(({ asset, point }) =>
    (point?.parts ?? []).map(({ name, snapshotId }) => ({
      name: `${record.source.repository}/${asset}/${point?.id ?? ''}/${name}`,
      digest: /^[0-9a-f]{64}$/.test(snapshotId) ? { sha256: snapshotId } : { snapshot: snapshotId },
    })),
  );
  if (subjects.length > 0) return subjects;
  return [{ name: `drill/${record.drill.id}`, digest: { sha256: sha256(canonicalJson(record)) } }];
}

/** By the claim's name: `verdict`, `record.measured`, `record.assets[0]`. */
export function claimDigests(claimed: Omit<Predicate, 'claims'>, sha256: Sha256): Record<string, string> {
  const { record, ...rest } = claimed;
  const named: [string, unknown][] = [
    ...Object.entries(rest),
    ...Object.entries(record).flatMap(([name, value]) =>
      Array.isArray(value)
        ? value.map((item, index): [string, unknown] => [`record.${name}[${index}]`, item])
        : [[`record.${name}`, value] as [string, unknown]],
    ),
  ];
  return Object.fromEntries(named.map(([name, value]) => [name, sha256(canonicalJson(value))]));
}

const text = z.string().max(10_000);

export const statement = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(z.strictObject({ name: text, digest: z.record(text, text) })).min(1),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.strictObject({
    sequence: z.number().int().positive(),
    previous: z.string().regex(/^[0-9a-f]{64}$/),
    recordedAt: z.iso.datetime(),
    verdict: z.strictObject({
      outcome: z.enum(['failed', 'missed', 'inconclusive', 'passed']),
      reasons: z.array(
        z.strictObject({
          outcome: z.enum(['failed', 'missed', 'inconclusive']),
          asset: text.nullable(),
          what: z.string(),
        }),
      ),
    }),
    record: drillRecord,
    signedBy,
    claims: z.record(text, text),
  }),
}) satisfies z.ZodType<Statement>;
