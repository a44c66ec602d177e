// When the control plane is to be stored in a repository, and when it should long have been. Pure: all it goes by
// is in the catalogue.

import type { Failure } from '../job.ts';

/** What the catalogue knows of the control plane's recovery points in one repository. */
export interface ControlPlaneState {
  repository: string;
  /** When it was made, as far as is known; null: nothing was ever stored there. */
  initialisedAt: string | null;
  /** The newest one there. */
  stored: StoredControlPlane | null;
  /** The last attempt that ended, other than by a cancel. */
  last: { jobId: string; endedAt: string; error: Failure | null } | null;
  /** One that goes on. */
  open: { jobId: string; startedAt: string } | null;
  /** Since when the audit chain has an event that is not in the stored one and was not made by storing it. */
  movedOnAt: string | null;
  /** The newest evidence, by its sequence; 0: none. */
  evidence: number;
  /** When the configuration in force was applied, and its digest. */
  configuration: { digest: string; appliedAt: string };
}

export interface StoredControlPlane {
  pointId: string;
  snapshotId: string;
  takenAt: string;
  auditSequence: number;
  evidenceSequence: number;
  configurationDigest: string | null;
}

/** A repository that cannot be reached is not asked every few seconds. */
const AFTER_FAILURE_SECONDS = 300;

/** Why it is to be stored there now, in words; null: it is not. */
export function whyDue(state: ControlPlaneState, everySeconds: number, now: Date): string | null {
  const { initialisedAt, stored, open, last } = state;
  if (initialisedAt === null || open !== null) return null;
  const pause = Math.min(AFTER_FAILURE_SECONDS, everySeconds);
  if (last?.error && secondsSince(last.endedAt, now) < pause) return null;
  if (!stored) return 'it was never stored there';
  if (stored.configurationDigest !== state.configuration.digest) return 'another configuration was applied';
  if (stored.evidenceSequence < state.evidence) return 'evidence was added';
  if (state.movedOnAt !== null && secondsSince(stored.takenAt, now) >= everySeconds)
    return 'the one there is older than it may be';
  return null;
}

/** What is wrong with it there, in words; null: nothing. `failure`: of the last attempt, where that is the cause. */
export function whyBehind(
  state: ControlPlaneState,
  everySeconds: number,
  now: Date,
): { reason: string; failure: Failure | null } | null {
  const { initialisedAt, stored, last } = state;
  if (initialisedAt === null) return null;
  if (last?.error) {
    const { message, cause } = last.error;
    return { reason: [message, cause].filter(Boolean).join(': '), failure: last.error };
  }
  if (!stored) {
    return secondsSince(initialisedAt, now) > 2 * everySeconds &&
      secondsSince(state.configuration.appliedAt, now) > 2 * everySeconds
      ? { reason: 'it was never stored there', failure: null }
      : null;
  }
  if (state.movedOnAt === null || secondsSince(stored.takenAt, now) <= 2 * everySeconds) return null;
  // After a quiet time it is old, and right, until something happens: from then on it may take its time.
  if (secondsSince(state.movedOnAt, now) <= everySeconds) return null;
  return { reason: `the newest there is of ${stored.takenAt}`, failure: null };
}

function secondsSince(time: string, now: Date): number {
  return (now.getTime() - Date.parse(time)) / 1000;
}
