// A retention plan for a person: first what would stop it, then every repository's assets with their points.

import { table } from './table.ts';
import { when } from './when.ts';

export interface RetentionPlan {
  decisions: {
    recoveryPointId: string;
    asset: string;
    repository: string;
    takenAt: string;
    decision: 'keep' | 'drop';
    reasons: string[];
  }[];
  anomalies: { repository: string; code: string; message: string; hint: string }[];
}

type Decision = RetentionPlan['decisions'][number];

export async function planText(policy: string, plan: RetentionPlan): Promise<string> {
  const lines: string[] = [];
  for (const { repository, message, hint } of plan.anomalies) {
    lines.push(`a run would stop at ${repository}: ${message}`, `  next: ${hint}`);
  }
  if (lines.length > 0) lines.push('');
  for (const [place, decisions] of inPlaces(plan.decisions)) {
    const going = decisions.filter(({ decision }) => decision === 'drop').length;
    lines.push(`${place}: ${decisions.length - going} stay, ${going} would go`);
    const rows = decisions.map(({ recoveryPointId, takenAt, decision, reasons }) => [
      recoveryPointId.slice(0, 8),
      when(takenAt),
      decision,
      reasons.join('; '),
    ]);
    lines.push(await table(['POINT', 'TAKEN', '', 'WHY'], rows), '');
  }
  const all = plan.decisions.filter(({ decision }) => decision === 'drop').length;
  if (plan.decisions.length === 0) lines.push(`${policy} has no recovery points yet: nothing would go`);
  else if (all === 0) lines.push('nothing would go');
  else lines.push(`${all} would go with \`holdfast retention run ${policy}\``);
  return lines.join('\n');
}

function inPlaces(decisions: readonly Decision[]): Map<string, Decision[]> {
  const places = new Map<string, Decision[]>();
  for (const decision of decisions) {
    const place = `${decision.asset} in ${decision.repository}`;
    places.set(place, [...(places.get(place) ?? []), decision]);
  }
  return new Map([...places].sort(([one], [other]) => one.localeCompare(other)));
}
