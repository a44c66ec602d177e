// Which keys may sign an export, as the chain tells it. Several hosts may each announce a key of their own: one is
// in force from the event that announced it until the event by which it was handed over to another. What was handed
// over is out for good, whoever announces it again. Pure: hash and signature checks are handed in.

import type { AuditEvent, Sha256 } from './audit-chain.ts';
import { canonicalJson } from './canonical-json.ts';

export const KEY_CREATED = 'audit.keyCreated';
export const KEY_ROTATED = 'audit.keyRotated';

/** Whether the text was signed with this public key's other half. */
export type Verifies = (publicKey: string, text: string, signature: string) => boolean;

/**
 * `given`: it is the public key the reader gave, or one that this key's rotations lead to. `chain`: only the
 * chain itself says that it is the right one.
 */
export type KeyKnown = 'given' | 'chain' | 'no';

/** `strange`: the chain never named it as one that may sign. */
export type KeyState = 'inForce' | 'handedOver' | 'strange';

export function keyIdOf(publicKey: string, sha256: Sha256): string {
  return sha256(publicKey).slice(0, 16);
}

/** Signed with the key that goes. */
export function rotationText(rotation: { previous: string; publicKey: string }): string {
  const { previous, publicKey } = rotation;
  return `holdfast audit key\n${canonicalJson({ previous, publicKey })}`;
}

/** Follows the events of a chain, oldest first. */
export class AuditKeys {
  /** By id: the public key, and the event that put it in force. */
  private readonly inForce = new Map<string, { publicKey: string; since: number }>();
  /** By id: the public key, and the event that handed it over. */
  private readonly handedOver = new Map<string, { publicKey: string; since: number }>();
  /** Led to by rotations from the key the reader gave. */
  private believed: string | null;

  constructor(
    private readonly sha256: Sha256,
    private readonly verifies: Verifies,
    trusted: string | null = null,
  ) {
    this.believed = trusted;
  }

  /** What is wrong with this event as a change of keys; null: nothing, or it is none. */
  follow({ action, sequence, details }: Pick<AuditEvent, 'action' | 'sequence' | 'details'>): string | null {
    if (action !== KEY_CREATED && action !== KEY_ROTATED) return null;
    const { publicKey, previous, signature } = details;
    if (typeof publicKey !== 'string') return `event ${sequence} names no public key`;
    if (action === KEY_CREATED) this.announce(publicKey, sequence);
    else return this.handOver(publicKey, String(previous), signature, sequence);
    return null;
  }

  state(publicKey: string): KeyState {
    const id = this.idOf(publicKey);
    if (this.inForce.has(id)) return 'inForce';
    return this.handedOver.has(id) ? 'handedOver' : 'strange';
  }

  known(publicKey: string): KeyKnown {
    if (this.state(publicKey) !== 'inForce') return 'no';
    if (this.believed === null) return 'chain';
    return this.believed === publicKey ? 'given' : 'no';
  }

  /** Why a head signed by this key proves nothing; null: it does. */
  whyStrange(publicKey: string): string | null {
    if (this.known(publicKey) !== 'no') return null;
    const id = this.idOf(publicKey);
    const handedOver = this.handedOver.get(id);
    if (handedOver)
      return `it is signed by key ${id}, which was handed over to another at event ${handedOver.since}`;
    if (this.believed === null || this.believed === publicKey) {
      const named = [...this.inForce.keys()].join(', ');
      return `it is signed by key ${id}, and the chain names ${named || 'none'}`;
    }
    const since = this.inForce.get(id)?.since;
    const expected = this.idOf(this.believed);
    const announced =
      since === undefined ? '' : `; event ${since} announced it, without the signature of the key given`;
    return `it is signed by another key: ${id}, not ${expected}${announced}`;
  }

  private announce(publicKey: string, sequence: number): void {
    const id = this.idOf(publicKey);
    if (this.handedOver.has(id) || this.inForce.has(id)) return;
    this.inForce.set(id, { publicKey, since: sequence });
  }

  private handOver(publicKey: string, previous: string, signature: unknown, sequence: number): string | null {
    const before = this.inForce.get(previous) ?? this.handedOver.get(previous);
    if (!before || typeof signature !== 'string')
      return `event ${sequence} replaces the key ${previous}, which was not in force`;
    if (!this.verifies(before.publicKey, rotationText({ previous, publicKey }), signature))
      return `event ${sequence} names a new key, and the key before it did not sign that`;
    // Two hosts with copies of one key handed it over at once: the first on the chain did.
    if (!this.inForce.delete(previous)) return null;
    this.handedOver.set(previous, { publicKey: before.publicKey, since: sequence });
    if (this.believed === before.publicKey) this.believed = publicKey;
    this.announce(publicKey, sequence);
    return null;
  }

  private idOf(publicKey: string): string {
    return keyIdOf(publicKey, this.sha256);
  }
}
