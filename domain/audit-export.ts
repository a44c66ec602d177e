// An exported audit chain ends with its head, signed: cutting events off its end is found like any other change.
// Keys and their rotations are events of the chain itself, so that whoever kept the first public key can follow
// them. Pure: the hash and the check of a signature are handed in.

import { canonicalJson } from './canonical-json.ts';
import {
  ChainCheck,
  readEvent,
  type AuditEvent,
  type ChainHead,
  type ChainProblem,
  type ChainReport,
  type Sha256,
} from './audit-chain.ts';

export interface SignedHead extends ChainHead {
  at: string;
  keyId: string;
  /** Ed25519, SubjectPublicKeyInfo in DER, base64. */
  publicKey: string;
  /** Base64, over `headText`. */
  signature: string;
}

/** One line of an export: events from the first to the last, then the head. */
export type ExportLine = AuditEvent | { signedHead: SignedHead };

export interface ExportReport extends ChainReport {
  /** null: the export has no signed head. */
  signedBy: { keyId: string; at: string; known: KeyKnown } | null;
}

/**
 * `given`: it is the public key the reader gave, or one that this key's rotations lead to. `chain`: only the
 * chain itself says that it is the right one.
 */
export type KeyKnown = 'given' | 'chain' | 'no';

export interface Signatures {
  sha256: Sha256;
  /** Whether the text was signed with this public key's other half. */
  verifies(publicKey: string, text: string, signature: string): boolean;
}

export const KEY_CREATED = 'audit.keyCreated';
export const KEY_ROTATED = 'audit.keyRotated';

export function keyIdOf(publicKey: string, sha256: Sha256): string {
  return sha256(publicKey).slice(0, 16);
}

/** What is signed. The first line keeps a signature made for one purpose from serving another. */
export function headText({
  sequence,
  digest,
  at,
  keyId,
}: Omit<SignedHead, 'publicKey' | 'signature'>): string {
  return `holdfast audit head\n${canonicalJson({ sequence, digest, at, keyId })}`;
}

/** Signed with the key that goes. */
export function rotationText(rotation: { previous: string; publicKey: string }): string {
  const { previous, publicKey } = rotation;
  return `holdfast audit key\n${canonicalJson({ previous, publicKey })}`;
}

/** Checks an export line by line; its size does not matter. */
export class ExportCheck {
  private readonly chain: ChainCheck;
  private readonly keys: KeyTrail;
  private lines = 0;
  private head: SignedHead | null = null;
  private broken: ChainProblem | null = null;

  /** `trusted`: a public key the reader kept; null: the chain's own word is taken. */
  constructor(
    private readonly signatures: Signatures,
    trusted: string | null,
  ) {
    this.chain = new ChainCheck(signatures.sha256);
    this.keys = new KeyTrail(signatures, trusted);
  }

  /** false: it is broken here, and nothing behind it need be read. */
  accept(line: string): boolean {
    if (line.trim() === '') return true;
    this.lines += 1;
    if (this.head) return this.breaks('something follows the signed head: it was added later');
    const head = readHead(line);
    if (head) {
      this.head = head;
      return true;
    }
    const event = readEvent(line);
    if (!event) return this.breaks(`line ${this.lines} is no audit event: it was edited or cut off`);
    if (!this.chain.accept(event)) return false;
    const fault = this.keys.follow(event);
    return fault === null || this.breaks(fault, event.sequence);
  }

  report(): ExportReport {
    const chain = this.chain.report();
    const problem = chain.problem ?? this.broken ?? this.faultOfHead(chain);
    const { head } = this;
    return {
      ...chain,
      ok: problem === null,
      problem,
      signedBy: head && { keyId: head.keyId, at: head.at, known: this.keys.known(head.publicKey) },
    };
  }

  private breaks(what: string, sequence = this.chain.report().events + 1): false {
    this.broken = { sequence, what };
    return false;
  }

  private faultOfHead({ events, head: end }: ChainReport): ChainProblem | null {
    const { head } = this;
    const next = events + 1;
    if (!head) {
      return { sequence: next, what: 'it is unsigned: nothing shows that its end was not cut off here' };
    }
    if (keyIdOf(head.publicKey, this.signatures.sha256) !== head.keyId || !this.signed(head)) {
      return { sequence: next, what: 'the signature of its head does not fit: the head was edited' };
    }
    if (head.sequence > events) {
      return {
        sequence: next,
        what: `its head was signed at event ${head.sequence}, and it ends at ${events}: the end was cut off`,
      };
    }
    if (head.sequence < events) {
      return { sequence: head.sequence + 1, what: 'its head was signed before this event was put in' };
    }
    if (head.digest !== end.digest) {
      return {
        sequence: events,
        what: 'it is not the event whose digest was signed: the chain was written anew',
      };
    }
    const stranger = this.keys.whyStrange(head);
    return stranger === null ? null : { sequence: next, what: stranger };
  }

  private signed(head: SignedHead): boolean {
    return this.signatures.verifies(head.publicKey, headText(head), head.signature);
  }
}

/** The key in force, as the chain tells it and as the reader can believe it. */
class KeyTrail {
  /** By the chain's word. */
  private current: string | null = null;
  /** Led to by rotations from the key the reader gave. */
  private believed: string | null;
  private unsignedChange: number | null = null;

  constructor(
    private readonly signatures: Signatures,
    trusted: string | null,
  ) {
    this.believed = trusted;
  }

  /** What is wrong with this event as a change of keys; null: nothing, or it is none. */
  follow({ action, sequence, details }: AuditEvent): string | null {
    if (action !== KEY_CREATED && action !== KEY_ROTATED) return null;
    const { publicKey, previous, signature } = details;
    if (typeof publicKey !== 'string') return `event ${sequence} names no public key`;
    if (action === KEY_ROTATED) {
      const before = this.current;
      const id = before === null ? null : this.idOf(before);
      const text = rotationText({ previous: String(previous), publicKey });
      if (before === null || previous !== id || typeof signature !== 'string') {
        return `event ${sequence} replaces the key ${String(previous)}, which was not in force`;
      }
      if (!this.signatures.verifies(before, text, signature)) {
        return `event ${sequence} names a new key, and the key before it did not sign that`;
      }
      if (this.believed === before) this.believed = publicKey;
    } else if (this.current !== null) {
      this.unsignedChange = sequence;
    }
    this.current = publicKey;
    return null;
  }

  known(publicKey: string): KeyKnown {
    if (this.believed !== null) return this.believed === publicKey ? 'given' : 'no';
    return this.current === publicKey ? 'chain' : 'no';
  }

  whyStrange({ publicKey, keyId }: SignedHead): string | null {
    if (this.known(publicKey) !== 'no') return null;
    if (this.believed === null) {
      return `it is signed by key ${keyId}, and the chain names ${this.current === null ? 'none' : this.idOf(this.current)}`;
    }
    const expected = this.idOf(this.believed);
    const change =
      this.unsignedChange === null
        ? ''
        : `; at event ${this.unsignedChange} the key was replaced without the signature of the one before`;
    return `it is signed by another key: ${keyId}, not ${expected}${change}`;
  }

  private idOf(publicKey: string): string {
    return keyIdOf(publicKey, this.signatures.sha256);
  }
}

function readHead(line: string): SignedHead | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // `readEvent` says what is wrong with it.
    return null;
  }
  const head = (value as { signedHead?: Partial<SignedHead> } | null)?.signedHead;
  if (typeof head !== 'object' || head === null) return null;
  const texts = [head.digest, head.at, head.keyId, head.publicKey, head.signature];
  const wellFormed = Number.isSafeInteger(head.sequence) && texts.every((text) => typeof text === 'string');
  return wellFormed ? (head as SignedHead) : null;
}
