// How an asset stands against its policy, as one word, the numbers behind it, a sentence that says why and
// a step to take. What was never measured is `unknown`: it is neither fine nor a breach.

import { formatDuration } from './duration.ts';
import type { Objectives } from './configuration/types.ts';
import type { AssetStatus, Failure } from './job.ts';
import { budgetFindings, type ErrorBudget } from './objectives/error-budget.ts';
import type { RequiredProof } from './proof.ts';

export type Health = 'ok' | 'warning' | 'critical' | 'unknown';
export type Breach = 'rpo' | 'rto' | 'provenWithin' | 'successRate' | 'errorBudget';

/** A recovery point, as far as it matters here. */
export interface PointMark {
  id: string;
  takenAt: string;
}

/** The newest backup job of the asset, and how the asset itself fared in it. */
export interface LastJob {
  id: string;
  status: AssetStatus;
  startedAt: string;
  endedAt: string | null;
  error: Failure | null;
}

/** What is known of one asset under one policy. Points are regular ones. */
export interface AssetFacts {
  asset: string;
  /** null: no policy names the asset. */
  policy: { name: string; proof: RequiredProof; objectives: Objectives } | null;
  /** For each proof, the newest point that has at least that; damaged ones have none. */
  newest: Record<RequiredProof, PointMark | null>;
  /** The very newest point, if no copy of it is whole. */
  damagedNewest: PointMark | null;
  /** Copies found damaged of points that still have a whole one. */
  damagedCopies: number;
  lastProvenAt: string | null;
  lastJob: LastJob | null;
  /** How long the last restore or rehearsal of the asset took. */
  measuredSeconds: number | null;
  nextRunAt: string | null;
  /** Of the policy's success rate; null or absent where it sets none. */
  errorBudget?: ErrorBudget | null;
}

export interface AssetHealth {
  asset: string;
  policy: string | null;
  health: Health;
  rpo: { objectiveSeconds: number | null; actualSeconds: number | null; verifiedSeconds: number | null };
  rto: { objectiveSeconds: number | null; measuredSeconds: number | null };
  /** The moments the asset can be brought back to: with the policy's own proof, and proven. */
  protectedUntil: string | null;
  provenUntil: string | null;
  /** The very newest point, if no copy of it is whole. */
  damagedNewest: PointMark | null;
  lastProvenAt: string | null;
  lastJob: LastJob | null;
  nextRunAt: string | null;
  breaches: Breach[];
  /** Empty only when the health is ok. */
  reason: string;
  next: string;
}

export function assess(facts: AssetFacts, now: Date): AssetHealth {
  const own = facts.newest[facts.policy?.proof ?? 'verified'];
  const { proven } = facts.newest;
  const actualSeconds = ageOf(own, now);
  const verifiedSeconds = ageOf(proven, now);
  const findings = findingsOf(facts, { now, actualSeconds, verifiedSeconds }).sort(
    (a, b) => GRAVITY[b.health] - GRAVITY[a.health],
  );
  const objectives = facts.policy?.objectives;
  return {
    asset: facts.asset,
    policy: facts.policy?.name ?? null,
    health: findings[0]?.health ?? 'ok',
    rpo: { objectiveSeconds: objectives?.rpoSeconds ?? null, actualSeconds, verifiedSeconds },
    rto: { objectiveSeconds: objectives?.rtoSeconds ?? null, measuredSeconds: facts.measuredSeconds },
    protectedUntil: own?.takenAt ?? null,
    provenUntil: proven?.takenAt ?? null,
    damagedNewest: facts.damagedNewest,
    lastProvenAt: facts.lastProvenAt,
    lastJob: facts.lastJob,
    nextRunAt: facts.nextRunAt,
    breaches: findings.flatMap((finding) => finding.breach ?? []),
    reason: findings.map((finding) => finding.reason).join('; '),
    next: findings[0]?.next ?? '',
  };
}

/** What `status --check` asks: is an objective missed, or the newest recovery point lost? */
export function isBreached(item: Pick<AssetHealth, 'breaches' | 'health'>): boolean {
  return item.breaches.length > 0 || item.health === 'critical';
}

/** Clocks of two hosts may differ by this much before a point counts as taken in the future. */
const TOLERATED_CLOCK_SKEW_SECONDS = 300;

const GRAVITY: Record<Health, number> = { ok: 0, unknown: 1, warning: 2, critical: 3 };

interface Finding {
  health: Exclude<Health, 'ok'>;
  reason: string;
  next: string;
  breach?: Breach;
}

interface Measured {
  now: Date;
  actualSeconds: number | null;
  verifiedSeconds: number | null;
}

type Policy = NonNullable<AssetFacts['policy']>;

function findingsOf(facts: AssetFacts, measured: Measured): Finding[] {
  const { policy } = facts;
  if (!policy) {
    return [
      {
        health: 'unknown',
        reason: 'no policy names it, so nothing backs it up',
        next: 'add it to a policy, then `holdfast apply`',
      },
    ];
  }
  const backUp = `\`holdfast backup run ${policy.name} --asset ${facts.asset}\``;
  return [
    ...damage(facts, backUp),
    ...recoveryPointObjective(facts, policy, measured, backUp),
    ...provenWithin(facts, policy, measured),
    ...recoveryTimeObjective(policy, facts.measuredSeconds),
    ...budgetFindings(facts.errorBudget, facts.asset),
    ...clock(facts, measured.now),
    ...lastJob(facts.lastJob, backUp),
  ];
}

function damage(facts: AssetFacts, backUp: string): Finding[] {
  const findings: Finding[] = [];
  if (facts.damagedNewest) {
    const { id, takenAt } = facts.damagedNewest;
    findings.push({
      health: 'critical',
      reason: `its newest recovery point ${id} (${takenAt}) is damaged: no copy of it can be restored whole`,
      next: `take a new one with ${backUp}; \`holdfast points show ${id}\` says what was found`,
    });
  }
  if (facts.damagedCopies > 0) {
    const copies = facts.damagedCopies === 1 ? 'a copy' : `${facts.damagedCopies} copies`;
    findings.push({
      health: 'warning',
      reason: `${copies} of its recovery points ${facts.damagedCopies === 1 ? 'is' : 'are'} damaged`,
      next: `take a new one with ${backUp}; \`holdfast points list --asset ${facts.asset}\` shows which`,
    });
  }
  return findings;
}

function recoveryPointObjective(
  facts: AssetFacts,
  policy: Policy,
  measured: Measured,
  backUp: string,
): Finding[] {
  const { rpoSeconds } = policy.objectives;
  if (!facts.newest.stored && !facts.damagedNewest) {
    return [{ health: 'unknown', reason: 'it has never been backed up', next: backUp }];
  }
  if (!facts.newest[policy.proof]) {
    return [
      {
        health: 'unknown',
        reason: `none of its recovery points is ${policy.proof}, as policy ${policy.name} asks`,
        next: `\`holdfast verify run ${policy.name}\``,
      },
    ];
  }
  if (rpoSeconds === null || measured.actualSeconds === null || measured.actualSeconds <= rpoSeconds)
    return [];
  const age = formatDuration(measured.actualSeconds);
  return [
    {
      health: 'critical',
      breach: 'rpo',
      reason: `its newest ${policy.proof} recovery point is ${age} old, and the objective is ${formatDuration(rpoSeconds)}`,
      next: backUp,
    },
  ];
}

function provenWithin(facts: AssetFacts, policy: Policy, measured: Measured): Finding[] {
  const limit = policy.objectives.provenWithinSeconds;
  if (limit === null || !facts.newest.stored) return [];
  const next = `\`holdfast verify run ${policy.name}\``;
  if (!facts.newest.proven) {
    return [{ health: 'unknown', reason: 'none of its recovery points has been proven by a restore', next }];
  }
  if (measured.verifiedSeconds === null || measured.verifiedSeconds <= limit) return [];
  const age = formatDuration(measured.verifiedSeconds);
  return [
    {
      health: 'warning',
      breach: 'provenWithin',
      reason: `its newest proven recovery point is ${age} old, and one is to be proven within ${formatDuration(limit)}`,
      next,
    },
  ];
}

function recoveryTimeObjective({ objectives: { rtoSeconds } }: Policy, measured: number | null): Finding[] {
  if (rtoSeconds === null || measured === null || measured <= rtoSeconds) return [];
  return [
    {
      health: 'warning',
      breach: 'rto',
      reason: `its last restore took ${formatDuration(measured)}, and the objective is ${formatDuration(rtoSeconds)}`,
      next: 'restore from a nearer repository, or set an objective that can be met',
    },
  ];
}

/** A point from the future would look fresh for as long as the clock was wrong: it measures nothing. */
function clock(facts: AssetFacts, now: Date): Finding[] {
  const point = Object.values(facts.newest).find((mark) => mark && ageOf(mark, now) === null);
  if (!point) return [];
  return [
    {
      health: 'warning',
      reason: `its recovery point ${point.id} says it was taken at ${point.takenAt}, which is yet to come, so its age means nothing`,
      next: "check this host's clock and that of the host that took it",
    },
  ];
}

function lastJob(job: LastJob | null, backUp: string): Finding[] {
  if (job?.status !== 'failed') return [];
  const { error } = job;
  const words = error ? `: ${error.message}${error.cause ? ` (${error.cause})` : ''}` : '';
  const first = error?.hint ? error.hint : `look into \`holdfast jobs logs ${job.id}\``;
  return [{ health: 'warning', reason: `its last backup failed${words}`, next: `${first}; then ${backUp}` }];
}

/** Whole seconds; null where there is no point, or it is from the future. */
function ageOf(point: PointMark | null, now: Date): number | null {
  if (!point) return null;
  const seconds = Math.floor((now.getTime() - Date.parse(point.takenAt)) / 1000);
  return seconds < -TOLERATED_CLOCK_SKEW_SECONDS ? null : Math.max(0, seconds);
}
