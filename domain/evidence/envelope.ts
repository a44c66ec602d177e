// A DSSE envelope (github.com/secure-systems-lab/dsse, v1) with one Ed25519 signature, spelled in one way only:
// canonical JSON and a line break, so that the SHA-256 of the file is the digest on the audit chain and every
// altered byte shows. Other DSSE tools read it as it is.

import { canonicalJson } from '../canonical-json.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';

export interface Envelope {
  payloadType: string;
  /** Decoded: canonical JSON. */
  payload: string;
  keyId: string;
  /** Base64 of 64 bytes. */
  signature: string;
}

/** Signs with the audit chain's key as it is now. */
export interface EvidenceSigner {
  keyId: string;
  /** Ed25519, SubjectPublicKeyInfo in DER, base64. */
  publicKey: string;
  /** Base64, over the text's UTF-8. */
  sign(text: string): string;
}

/** Returns the file's whole text. */
export function seal(payloadType: string, content: object, signer: EvidenceSigner): string {
  const payload = canonicalJson(content);
  const signature = signer.sign(preAuthenticationEncoding(payloadType, payload));
  return written({ payloadType, payload, keyId: signer.keyId, signature });
}

/** Or what is wrong with it, in words. */
export function readEnvelope(text: string): Envelope | string {
  const value = parsed(text);
  if (!isRecord(value)) return 'it is no envelope: it was edited, or cut off';
  const { payload: encoded, payloadType, signatures } = value;
  const [first] = Array.isArray(signatures) ? (signatures as unknown[]) : [];
  if (typeof encoded !== 'string' || typeof payloadType !== 'string' || !isRecord(first)) {
    return 'it is no envelope: payload, payloadType or signatures is missing';
  }
  const { keyid: keyId, sig: signature } = first;
  if (typeof keyId !== 'string' || typeof signature !== 'string') return 'it is not signed';
  const payload = decodeBase64(encoded);
  if (payload === null) return 'its payload is damaged: it is no base64 of a text';
  // 64 bytes: the last character but two carries four of its six bits.
  if (!/^[A-Za-z0-9+/]{85}[AQgw]==$/.test(signature)) return 'its signature is damaged: it is no Ed25519 one';
  const envelope = { payloadType, payload, keyId, signature };
  return written(envelope) === text ? envelope : 'something was added to it, or it was written anew';
}

/** What is signed: the type is part of it, so that a signature for one purpose serves no other. */
export function preAuthenticationEncoding(payloadType: string, payload: string): string {
  const length = (text: string) => new TextEncoder().encode(text).length;
  return `DSSEv1 ${length(payloadType)} ${payloadType} ${length(payload)} ${payload}`;
}

/** undefined: it is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whoever asked says what that means.
    return undefined;
  }
}

function written({ payloadType, payload, keyId, signature }: Envelope): string {
  const signatures = [{ keyid: keyId, sig: signature }];
  return `${canonicalJson({ payload: encodeBase64(payload), payloadType, signatures })}\n`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
