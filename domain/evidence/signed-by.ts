// Who signed, told so that the first public key alone is enough to believe it: beside the key stand the rotations
// since the chain's key was made, each signed by the key that went.

import { z } from 'zod';
import type { Signatures } from '../audit-export.ts';
import { keyIdOf, rotationText, type KeyKnown } from '../audit-keys.ts';

export interface SignedBy {
  keyId: string;
  /** SubjectPublicKeyInfo in DER, base64. */
  publicKey: string;
  /** From the first key to this one. */
  handovers: Handover[];
}

export interface Handover {
  /** Id of the key that went. */
  previous: string;
  /** The one that came. */
  publicKey: string;
  /** By the one that went, as on the audit chain. */
  signature: string;
}

const text = z.string().min(1).max(1000);

export const signedBy = z.strictObject({
  keyId: text,
  publicKey: text,
  handovers: z.array(z.strictObject({ previous: text, publicKey: text, signature: text })),
}) satisfies z.ZodType<SignedBy>;

/** `trusted`: a public key the reader kept; null: the evidence's own word is taken. */
export function keyKnown(
  { publicKey, handovers }: SignedBy,
  trusted: string | null,
  signatures: Signatures,
): KeyKnown {
  if (trusted === null) return 'chain';
  let believed = trusted;
  for (const { previous, publicKey: next, signature } of handovers) {
    if (previous !== keyIdOf(believed, signatures.sha256)) continue;
    if (!signatures.verifies(believed, rotationText({ previous, publicKey: next }), signature)) return 'no';
    believed = next;
  }
  return believed === publicKey ? 'given' : 'no';
}
