// An exported audit chain ends with its head, signed: cutting events off its end is found like any other change.
// Keys and their rotations are events of the chain itself (domain/audit-keys.ts), so that whoever kept the first
// public key can follow them. Pure: the hash and the check of a signature are handed in.

import { AuditKeys, keyIdOf, type KeyKnown, type Verifies } from './audit-keys.ts';
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

export interface Signatures {
  sha256: Sha256;
  verifies: Verifies;
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

/** Checks an export line by line; its size does not matter. */
export class ExportCheck {
  private readonly chain: ChainCheck;
  private readonly keys: AuditKeys;
  private lines = 0;
  private head: SignedHead | null = null;
  private broken: ChainProblem | null = null;

  /** `trusted`: a public key the reader kept; null: the chain's own word is taken. */
  constructor(
    private readonly signatures: Signatures,
    trusted: string | null,
  ) {
    this.chain = new ChainCheck(signatures.sha256);
    this.keys = new AuditKeys(signatures.sha256, signatures.verifies, trusted);
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
    const stranger = this.keys.whyStrange(head.publicKey);
    return stranger === null ? null : { sequence: next, what: stranger };
  }

  private signed(head: SignedHead): boolean {
    return this.signatures.verifies(head.publicKey, headText(head), head.signature);
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
