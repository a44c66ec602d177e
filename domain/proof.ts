/**
 * How sure we are that a recovery point can be restored, in rising order. `damaged` stands outside the
 * order: bytes of the point were found missing or wrong, whatever was proven before.
 */
export type Proof = 'stored' | 'verified' | 'proven' | 'damaged';

/** The proofs a policy can ask for before it calls a backup a success. */
export type RequiredProof = Exclude<Proof, 'damaged'>;

const RANK: Record<Proof, number> = { damaged: -1, stored: 0, verified: 1, proven: 2 };

/** One copy of a point, with the times (RFC 3339) at which something was last shown about its bytes. */
export interface CopyProof {
  storedAt: string;
  verifiedAt: string | null;
  provenAt: string | null;
  damagedAt: string | null;
}

/** What is known of the whole point. `partial`: what of its source could not be read; null: nothing. */
export interface Completeness {
  partial: string | null;
}

/**
 * A copy found damaged stays so until a later reading of all its bytes succeeds. One of a partial point is
 * never more than stored: that its bytes are whole does not bring back what was never read.
 */
export function proofOfCopy(copy: CopyProof, { partial }: Completeness): Proof {
  const lastGood = [copy.verifiedAt, copy.provenAt]
    .filter((time) => time !== null)
    .sort()
    .at(-1);
  if (copy.damagedAt !== null && (lastGood === undefined || lastGood <= copy.damagedAt)) return 'damaged';
  if (partial !== null) return 'stored';
  if (copy.provenAt !== null) return 'proven';
  return copy.verifiedAt !== null ? 'verified' : 'stored';
}

/** A point is as good as its best copy; it is damaged only when no copy is left that is not. */
export function proofOfPoint(copies: readonly CopyProof[], point: Completeness): Proof {
  return copies
    .map((copy) => proofOfCopy(copy, point))
    .reduce<Proof>((best, proof) => (RANK[proof] > RANK[best] ? proof : best), 'damaged');
}
