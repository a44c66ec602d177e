// From what the catalogue knows of a copy to what the planner judges by.

import type { Policy, PolicyRetention } from '../configuration/types.ts';
import { proofOfCopy, type CopyProof } from '../proof.ts';
import type { PointKind } from '../recovery-point.ts';
import type { RetainedPoint } from './plan.ts';

export interface StoredCopy extends CopyProof {
  id: string;
  kind: PointKind;
  takenAt: string;
  partial: string | null;
  tags: readonly string[];
  /** A person has begun to take it away: since when. */
  removingSince: string | null;
}

/** Somebody says that a point has to stay. */
export interface Hold {
  pointId: string;
  owner: string;
  reason: string;
}

/** How long the state of before a restore can be had back; then its safety point may go. */
const SAFETY_DAYS = 7;

export function retainedPoint(copy: StoredCopy, holds: readonly Hold[]): RetainedPoint {
  const { id, kind, takenAt, storedAt, partial, tags } = copy;
  return {
    id,
    kind,
    takenAt,
    tags,
    storedAt,
    // That its bytes are whole does not bring back what was never read.
    verifiedAt: partial === null ? copy.verifiedAt : null,
    provenAt: partial === null ? copy.provenAt : null,
    damaged: proofOfCopy(copy, { partial }) === 'damaged',
    partial: partial !== null,
    removing: copy.removingSince !== null,
    held: holds.filter(({ pointId }) => pointId === id).map(({ owner, reason }) => ({ owner, reason })),
    expiresAt: kind === 'safety' ? safetyPointExpiry(takenAt) : null,
  };
}

export function safetyPointExpiry(takenAt: string): string {
  return new Date(Date.parse(takenAt) + SAFETY_DAYS * 86_400_000).toISOString();
}

/** A copy's own retention, else the policy's. */
export function retentionIn(policy: Policy, repository: string): PolicyRetention | null {
  const copy = policy.copies.find((one) => one.repository === repository);
  return copy?.retention ?? policy.retention;
}
