// What somebody who was not there has to know of a drill that ended: taken from its signed record, and small enough
// for any channel.

import type { Severity } from '../configuration/notification-types.ts';
import type { DrillOutcome, DrillVerdict } from '../evidence/outcome.ts';
import type { CorrectiveAction, DrillRecord } from '../evidence/record.ts';

/** Times are RFC 3339 in UTC, durations in seconds. */
export interface DrillSummary {
  id: string;
  drill: string;
  outcome: DrillOutcome;
  /** It was to take the service itself down, and did unless its RPO was not measured. */
  gameDay: boolean;
  scenario: string;
  /** The copy everything came from. */
  source: string;
  operator: string;
  policies: string[];
  startedAt: string;
  endedAt: string;
  rto: Held;
  rpo: Held;
  assets: SummarisedAsset[];
  /** Each once, in order; what several assets took is added up. */
  phases: { name: string; seconds: number }[];
  failures: { what: string; cause: string; next: string }[];
  /** Why it is no pass, beside the failures. */
  reasons: string[];
  actions: Pick<CorrectiveAction, 'id' | 'what' | 'owner'>[];
  /** Corrective actions of earlier drills that it tested again. */
  retests: { drill: string; action: string }[];
  evidence: { sequence: number; digest: string; path: string };
}

interface Held {
  objectiveSeconds: number | null;
  achievedSeconds: number | null;
}

interface SummarisedAsset {
  asset: string;
  /** Restored, and nothing says that it is not as it was. */
  back: boolean;
  /** Of its recovery point; null: there was none. */
  takenAt: string | null;
  ageSeconds: number | null;
  rtoSeconds: number | null;
}

export function drillSummary(
  record: DrillRecord,
  { outcome, reasons }: DrillVerdict,
  evidence: DrillSummary['evidence'],
): DrillSummary {
  const { drill, objectives, measured, failures } = record;
  const thrown = new Set(failures.map(({ phase, message }) => `${phase}: ${message}`));
  const failed = new Set(reasons.flatMap((reason) => (reason.outcome === 'failed' ? [reason.asset] : [])));
  return {
    ...{ id: drill.id, drill: drill.name, outcome, scenario: record.scenario },
    gameDay: drill.trigger === 'gameDay',
    ...{ source: record.source.repository, operator: record.operator },
    policies: record.configuration.policies,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    rto: { objectiveSeconds: objectives.rtoSeconds, achievedSeconds: measured.rtoSeconds },
    rpo: { objectiveSeconds: objectives.rpoSeconds, achievedSeconds: measured.rpoSeconds },
    assets: record.assets.map(({ asset, point, restored, rto }) => ({
      asset,
      back: restored && !failed.has(asset),
      takenAt: point?.takenAt ?? null,
      ageSeconds: point?.ageSeconds ?? null,
      rtoSeconds: rto.achievedSeconds,
    })),
    phases: phasesOf(record),
    failures: failures.map(({ asset, phase, message, cause, hint }) => ({
      what: `${asset ?? `drill ${drill.name}`}, ${phase}: ${message}`,
      cause,
      next: hint,
    })),
    reasons: reasons
      .filter(({ what }) => !thrown.has(what))
      .map(({ asset, what }) => (asset === null ? what : `${asset}: ${what}`)),
    actions: record.actions.map(({ id, what, owner }) => ({ id, what, owner })),
    retests: drill.retests,
    evidence,
  };
}

/** A drill that did not keep what was promised says that the site could not be brought back. */
export function severityOfDrill(outcome: DrillOutcome): Severity {
  if (outcome === 'passed') return 'info';
  return outcome === 'inconclusive' ? 'warning' : 'page';
}

function phasesOf({ phases }: DrillRecord): DrillSummary['phases'] {
  const sums = new Map<string, number>();
  for (const { name, seconds } of phases) sums.set(name, (sums.get(name) ?? 0) + seconds);
  return [...sums].map(([name, seconds]) => ({ name, seconds }));
}
