// How far a copy is behind the repository its points come from.

import type { Cadence, Policy } from '../configuration/types.ts';
import type { Failure } from '../job.ts';

/** Of one asset; times are RFC 3339. */
export interface AssetLag {
  asset: string;
  /** Its newest point there; null: there is none. */
  newestTakenAt: string | null;
  /** Points that are newer than that one. */
  lagPoints: number;
  /** When the first of them was stored where it comes from; null: there are none. */
  behindSince: string | null;
  /** The last attempt at sending a point, by a backup or a sync; null: none was made. */
  attempt: { at: string; jobId: string; error: Failure | null } | null;
}

/** One copy of a policy. */
export interface CopyState {
  policy: string;
  repository: string;
  /** null: made with each backup. */
  cadence: Cadence | null;
  lagPoints: number;
  /** How long the point that has waited longest has been waiting; 0: nothing waits. */
  lagSeconds: number;
  /** null: nothing is asked of it. */
  lagObjectiveSeconds: number | null;
  breached: boolean;
  /** `failed` where the last attempt of any asset failed; null: none was made. */
  lastStatus: 'success' | 'failed' | null;
  lastAttemptAt: string | null;
  error: Failure | null;
  assets: AssetLag[];
}

export function copyState(
  policy: Pick<Policy, 'name'>,
  copy: Policy['copies'][number],
  assets: AssetLag[],
  now: Date,
): CopyState {
  const waits = assets.flatMap(({ behindSince }) =>
    behindSince === null ? [] : [Math.max(0, Math.round((now.getTime() - Date.parse(behindSince)) / 1000))],
  );
  const lagSeconds = Math.max(0, ...waits);
  const lagObjectiveSeconds = copy.lagSeconds ?? null;
  const attempts = assets.flatMap(({ attempt }) => attempt ?? []);
  const failed = attempts.filter(({ error }) => error !== null).sort(byTime);
  return {
    policy: policy.name,
    repository: copy.repository,
    cadence: copy.cadence ?? null,
    lagPoints: assets.reduce((sum, { lagPoints }) => sum + lagPoints, 0),
    lagSeconds,
    lagObjectiveSeconds,
    breached: lagObjectiveSeconds !== null && lagSeconds > lagObjectiveSeconds,
    lastStatus: attempts.length === 0 ? null : failed.length > 0 ? 'failed' : 'success',
    lastAttemptAt: attempts.sort(byTime).at(-1)?.at ?? null,
    error: failed.at(-1)?.error ?? null,
    assets,
  };
}

function byTime(one: { at: string }, other: { at: string }): number {
  return one.at < other.at ? -1 : 1;
}
