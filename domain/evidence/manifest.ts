// What an export of evidence consists of, signed: a file that was taken out, put in or altered is found, the last
// one and a rendering too.

import { z } from 'zod';
import type { Signatures } from '../audit-export.ts';
import { canonicalJson } from '../canonical-json.ts';
import { signatureFits, type EvidenceFile, type EvidenceProblem } from './check.ts';
import { parsed, readEnvelope, seal, type EvidenceSigner } from './envelope.ts';
import { keyKnown, signedBy, type Handover, type SignedBy } from './signed-by.ts';

export const MANIFEST_FILE = 'evidence-manifest.json';
const MANIFEST_PAYLOAD = 'application/vnd.holdfast.evidence-manifest+json';

export interface EvidenceManifest {
  madeAt: string;
  /** What was asked for: drills that ended from this time on and before that one; null: no bound. */
  period: { from: string | null; to: string | null };
  files: ManifestEntry[];
  signedBy: SignedBy;
}

export interface ManifestEntry {
  name: string;
  sha256: string;
  /** null: a rendering. */
  sequence: number | null;
}

export function sealManifest(
  manifest: Omit<EvidenceManifest, 'signedBy'>,
  handovers: Handover[],
  signer: EvidenceSigner,
): string {
  const { keyId, publicKey } = signer;
  return seal(MANIFEST_PAYLOAD, { ...manifest, signedBy: { keyId, publicKey, handovers } }, signer);
}

/** The manifest, if it can be believed, and what is wrong with it. */
export function checkManifest(
  text: string,
  signatures: Signatures,
  trusted: string | null,
): { manifest: EvidenceManifest | null; problems: EvidenceProblem[] } {
  const fails = (altered: EvidenceProblem['altered'], what: string) => ({
    manifest: null,
    problems: [{ file: MANIFEST_FILE, altered, claim: null, what }],
  });
  const envelope = readEnvelope(text);
  if (typeof envelope === 'string') return fails('envelope', envelope);
  const read = schema.safeParse(parsed(envelope.payload));
  if (envelope.payloadType !== MANIFEST_PAYLOAD || !read.success)
    return fails('payload', 'it is no manifest of evidence');
  const manifest = read.data;
  if (canonicalJson(manifest) !== envelope.payload)
    return fails('payload', 'what it states was written anew in another spelling');
  if (!signatureFits(envelope, manifest.signedBy, signatures))
    return fails('signature', 'its signature does not fit: it, or what it states, was altered');
  if (keyKnown(manifest.signedBy, trusted, signatures) === 'no')
    return fails('key', `it is signed by another key: ${manifest.signedBy.keyId}`);
  return { manifest, problems: [] };
}

/** Files that are missing, were altered, or are not in it. */
export function againstManifest(
  { files: listed }: EvidenceManifest,
  files: readonly EvidenceFile[],
  { sha256 }: Signatures,
): EvidenceProblem[] {
  const there = new Map(files.map(({ name, text }) => [name, text]));
  const names = new Set(listed.map(({ name }) => name));
  const problem = (file: string, altered: EvidenceProblem['altered'], what: string) => ({
    ...{ file, altered, claim: null, what },
  });
  return [
    ...listed.flatMap(({ name, sha256: digest, sequence }) => {
      const text = there.get(name);
      if (text === undefined)
        return [problem(name, 'missing', 'it was exported, and is not there: it was removed')];
      if (sha256(text) === digest) return [];
      const what = 'it is not as it was exported';
      return [problem(name, 'file', sequence === null ? `${what}: the rendering was edited` : what)];
    }),
    ...files
      .filter(({ name }) => !names.has(name))
      .map(({ name }) => problem(name, 'added', 'it was not exported with the others: it was put in')),
  ];
}

const time = z.iso.datetime();
const schema = z.strictObject({
  madeAt: time,
  period: z.strictObject({ from: time.nullable(), to: time.nullable() }),
  files: z.array(
    z.strictObject({
      name: z.string(),
      sha256: z.string(),
      sequence: z.number().int().positive().nullable(),
    }),
  ),
  signedBy,
}) satisfies z.ZodType<EvidenceManifest>;
