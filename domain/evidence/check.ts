// Checks one file of evidence with nothing but a public key, and says what of it was altered, as far as that can
// be told. A forger who also mends the digests leaves only the signature to show it; what shows then is that.

import type { Signatures } from '../audit-export.ts';
import { keyIdOf, type KeyKnown } from '../audit-keys.ts';
import { canonicalJson } from '../canonical-json.ts';
import { parsed, preAuthenticationEncoding, readEnvelope, type Envelope } from './envelope.ts';
import { verdictOf } from './outcome.ts';
import { keyKnown } from './signed-by.ts';
import { claimDigests, statement, STATEMENT_PAYLOAD, subjectsOf, type Statement } from './statement.ts';

export interface EvidenceProblem {
  /** null: of the set as a whole. */
  file: string | null;
  /** `payload`: what it states; `order`: where it stands among the others. */
  altered: 'envelope' | 'payload' | 'signature' | 'key' | 'order' | 'missing' | 'added' | 'file';
  /** Of `payload`: the claim, where it can be named. */
  claim: string | null;
  /** A sentence after the file's name. */
  what: string;
}

export interface CheckedEvidence {
  file: string;
  /** null: it cannot even be read. What is wrong with it is in `problems`, and then nothing in it counts. */
  statement: Statement | null;
  /** SHA-256 of the file, and of what it states. */
  digest: string;
  payloadDigest: string | null;
  keyKnown: KeyKnown;
  problems: EvidenceProblem[];
}

export interface EvidenceFile {
  name: string;
  text: string;
}

/** `trusted`: a public key kept from before; null: the file's own word is taken for whose it is. */
export function checkEvidence(
  { name: file, text }: EvidenceFile,
  signatures: Signatures,
  trusted: string | null,
): CheckedEvidence {
  const problems: EvidenceProblem[] = [];
  const found = (altered: EvidenceProblem['altered'], what: string, claim: string | null = null) =>
    problems.push({ file, altered, claim, what });
  const checked: CheckedEvidence = {
    ...{ file, problems, statement: null, payloadDigest: null, keyKnown: 'no' },
    digest: signatures.sha256(text),
  };
  const envelope = readEnvelope(text);
  if (typeof envelope === 'string') {
    found('envelope', envelope);
    return checked;
  }
  checked.payloadDigest = signatures.sha256(envelope.payload);
  const stated = readStatement(envelope);
  if (typeof stated === 'string') {
    found(envelope.payloadType === STATEMENT_PAYLOAD ? 'payload' : 'envelope', stated);
    return checked;
  }
  checked.statement = stated;
  checked.keyKnown = keyKnown(stated.predicate.signedBy, trusted, signatures);
  for (const claim of alteredClaims(stated, signatures)) {
    found('payload', `${claim} was edited: it does not fit its digest`, claim);
  }
  for (const [altered, what] of faultsOfSignature(envelope, stated, checked, signatures))
    found(altered, what);
  const { outcome } = verdictOf(stated.predicate.record);
  if (problems.length === 0 && outcome !== stated.predicate.verdict.outcome) {
    const what = `it calls the drill ${stated.predicate.verdict.outcome}, and what it states makes it ${outcome}`;
    found('payload', what, 'verdict');
  }
  return checked;
}

/** Whether the signature is by the key that the payload names; also for other payloads than statements. */
export function signatureFits(
  { payloadType, payload, keyId, signature }: Envelope,
  signedBy: { keyId: string; publicKey: string },
  signatures: Signatures,
): boolean {
  const text = preAuthenticationEncoding(payloadType, payload);
  const named = keyIdOf(signedBy.publicKey, signatures.sha256);
  return (
    keyId === signedBy.keyId && named === keyId && signatures.verifies(signedBy.publicKey, text, signature)
  );
}

function readStatement({ payloadType, payload }: Envelope): Statement | string {
  if (payloadType !== STATEMENT_PAYLOAD) return `it is no statement but ${payloadType}`;
  const value = parsed(payload);
  if (value === undefined) return 'what it states is no JSON any more: it was edited';
  const read = statement.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    return `what it states is no drill evidence: ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`;
  }
  if (canonicalJson(read.data) !== payload) return 'what it states was written anew in another spelling';
  return read.data;
}

function alteredClaims({ subject, predicate }: Statement, { sha256 }: Signatures): string[] {
  const { claims, ...claimed } = predicate;
  const now = claimDigests(claimed, sha256);
  const names = [...new Set([...Object.keys(claims), ...Object.keys(now)])].sort();
  const altered = names.filter((name) => claims[name] !== now[name]);
  const subjects = canonicalJson(subjectsOf(predicate.record, sha256));
  // Follows from the assets: where those were edited, they are named.
  return altered.length > 0 || subjects === canonicalJson(subject) ? altered : ['subject'];
}

function faultsOfSignature(
  envelope: Envelope,
  { predicate }: Statement,
  { keyKnown: known, problems }: CheckedEvidence,
  signatures: Signatures,
): [EvidenceProblem['altered'], string][] {
  const { signedBy } = predicate;
  if (envelope.keyId !== signedBy.keyId) {
    return [['key', `its envelope names key ${envelope.keyId}, and what it states key ${signedBy.keyId}`]];
  }
  if (!signatureFits(envelope, signedBy, signatures)) {
    const named = problems.length > 0;
    return named
      ? [['signature', 'its signature does not fit what it states now']]
      : [
          [
            'signature',
            'its signature does not fit: it, or what it states together with the digests, was altered',
          ],
        ];
  }
  if (known !== 'no') return [];
  return [['key', `it is signed by another key: ${signedBy.keyId}, to which the key given does not lead`]];
}
