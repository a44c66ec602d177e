// The audit chain: every event carries the digest of the one before it, so an event edited, removed, put in
// or moved breaks the chain at that place. The hash function is handed in: this folder has no I/O.

import { canonicalJson } from './canonical-json.ts';

export interface NewAuditEvent {
  /** `job.begun`, `point.recorded`, … */
  action: string;
  /** `job/<id>`, `point/<id>`, `restore/r-1`, … */
  subject: string;
  /** Plain JSON; never a secret. */
  details: Record<string, unknown>;
}

export interface AuditEvent extends NewAuditEvent {
  /** From 1, without a gap. */
  sequence: number;
  at: string;
  actor: string;
  /** Digest of the event before; of the first one, `CHAIN_START`. */
  previous: string;
  /** SHA-256, hex, over the canonical JSON of everything above. */
  digest: string;
}

/** The last event of a chain. Noted elsewhere, it shows later that nothing was cut off the end. */
export interface ChainHead {
  sequence: number;
  digest: string;
}

export interface ChainReport {
  ok: boolean;
  /** Events read up to the problem, or all. */
  events: number;
  head: ChainHead;
  problem: ChainProblem | null;
}

export interface ChainProblem {
  /** Where the chain breaks. */
  sequence: number;
  what: string;
}

export type Sha256 = (text: string) => string;

export const CHAIN_START = '0'.repeat(64);

export function digestOf(event: Omit<AuditEvent, 'digest'>, sha256: Sha256): string {
  const { sequence, at, actor, action, subject, details, previous } = event;
  return sha256(canonicalJson({ sequence, at, actor, action, subject, details, previous }));
}

/**
 * Checks events one at a time, in order. `anchors` are heads noted earlier or elsewhere: each must be an
 * event of this chain, or something was cut off or written anew.
 */
export class ChainCheck {
  private head: ChainHead = { sequence: 0, digest: CHAIN_START };
  private problem: ChainProblem | null = null;

  constructor(
    private readonly sha256: Sha256,
    private readonly anchors: readonly ChainHead[] = [],
  ) {}

  /** false: the chain is broken here, and nothing behind it need be read. */
  accept(event: AuditEvent): boolean {
    const what = this.faultOf(event);
    if (what !== null) this.problem = { sequence: this.head.sequence + 1, what };
    else this.head = { sequence: event.sequence, digest: event.digest };
    return this.problem === null;
  }

  report(): ChainReport {
    const beyond = this.anchors.find((anchor) => anchor.sequence > this.head.sequence);
    const problem =
      this.problem ??
      (beyond
        ? {
            sequence: this.head.sequence + 1,
            what: `the chain ends at event ${this.head.sequence}, and event ${beyond.sequence} was written: the end is missing`,
          }
        : null);
    return { ok: problem === null, events: this.head.sequence, head: this.head, problem };
  }

  private faultOf(event: AuditEvent): string | null {
    const expected = this.head.sequence + 1;
    if (event.sequence > expected) {
      const missing =
        event.sequence - expected === 1
          ? `event ${expected} is`
          : `events ${expected} to ${event.sequence - 1} are`;
      return `${missing} missing`;
    }
    if (event.sequence < expected) return `event ${event.sequence} stands where ${expected} belongs`;
    if (event.previous !== this.head.digest) {
      return `event ${expected} does not follow the event before it: one of the two was replaced or moved`;
    }
    if (event.digest !== digestOf(event, this.sha256))
      return `event ${expected} was edited: its digest does not fit its content`;
    if (this.anchors.some((anchor) => anchor.sequence === expected && anchor.digest !== event.digest)) {
      return `event ${expected} is not the one noted when it was written: the chain was written anew`;
    }
    return null;
  }
}

/** An exported chain, one event per line. Lines that are no event are a break in the chain, not an exception. */
export function checkExport(
  lines: Iterable<string>,
  sha256: Sha256,
  anchors: readonly ChainHead[] = [],
): ChainReport {
  const check = new ChainCheck(sha256, anchors);
  for (const line of lines) {
    if (line.trim() === '') continue;
    const event = readEvent(line);
    if (event === null) {
      const { events, head } = check.report();
      return {
        ok: false,
        events,
        head,
        problem: { sequence: events + 1, what: `line ${events + 1} is no audit event` },
      };
    }
    if (!check.accept(event)) break;
  }
  return check.report();
}

/** One line of an export; null: it is none. */
export function readEvent(line: string): AuditEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const event = value as Record<string, unknown>;
  const texts = ['at', 'actor', 'action', 'subject', 'previous', 'digest'];
  const wellFormed =
    Number.isSafeInteger(event['sequence']) &&
    texts.every((name) => typeof event[name] === 'string') &&
    typeof event['details'] === 'object' &&
    event['details'] !== null;
  return wellFormed ? (value as AuditEvent) : null;
}
