// Nothing ran although it was due: the silence that no failing job reports. Also said when everything was down,
// as soon as anything is up again.

import { Cron } from 'croner';
import { CRON_OPTIONS } from '../cadence/next-run.ts';
import type { Cadence } from '../configuration/types.ts';
import { formatDuration, writeDuration } from '../duration.ts';
import type { Condition } from './condition.ts';
import type { PolicyFact } from './facts.ts';

/** Schedules have jitter, and a make-up run after a restart takes its time. */
const LEAST_GRACE_SECONDS = 5 * 60;
const MOST_GRACE_SECONDS = 3600;
const GRACE_SHARE = 0.1;

export function overdue(policy: PolicyFact, now: Date): Condition[] {
  const { name, cadence, newest, since, paused } = policy;
  const jitter = policy.jitterSeconds ?? 0;
  if (paused) return [];
  const due = lastDue(cadence, jitter, now, later(since, newest?.startedAt));
  if (due === null || due <= Date.parse(since)) return [];
  if (newest && Date.parse(newest.startedAt) >= due) return [];
  const common = { topic: 'failure' as const, policies: [name], asset: null };
  const ago = (time: string) => formatDuration((now.getTime() - Date.parse(time)) / 1000);
  if (newest && newest.endedAt === null) {
    return [
      {
        ...common,
        key: `policy/${name}/slow`,
        severity: 'warning',
        title: `the backup of policy ${name} has run for longer than from one to the next`,
        reason: `it started ${ago(newest.startedAt)} ago, and the policy asks for ${said(cadence)}`,
        next: `\`holdfast jobs show ${newest.jobId.slice(0, 8)}\` shows how far it is; back up less often if that is its usual time`,
      },
    ];
  }
  return [
    {
      ...common,
      key: `policy/${name}/overdue`,
      severity: 'critical',
      title: `policy ${name} is overdue: no backup of it has started`,
      reason: newest
        ? `the last one started ${ago(newest.startedAt)} ago, and the policy asks for ${said(cadence)}`
        : `none has ever started, and the policy asks for ${said(cadence)} since it was applied ${ago(since)} ago`,
      next: `\`holdfast backup run ${name}\`; \`holdfast doctor\` shows whether Temporal and the worker run`,
    },
  ];
}

/** The newest moment at which a run had to have started, with the grace gone; null when there was none yet. */
function lastDue(cadence: Cadence, jitter: number, now: Date, from: string): number | null {
  if (cadence.kind === 'every') {
    const due = Date.parse(from) + cadence.seconds * 1000;
    return due + (graceOf(cadence.seconds) + jitter) * 1000 < now.getTime() ? due : null;
  }
  const cron = new Cron(cadence.expression, CRON_OPTIONS);
  const [newest, before] = cron.previousRuns(2, now);
  if (!newest) return null;
  const interval = before ? (newest.getTime() - before.getTime()) / 1000 : MOST_GRACE_SECONDS;
  const late = now.getTime() - newest.getTime() > (graceOf(interval) + jitter) * 1000;
  return (late ? newest : before)?.getTime() ?? null;
}

function later(one: string, other: string | undefined): string {
  return other !== undefined && Date.parse(other) > Date.parse(one) ? other : one;
}

function graceOf(intervalSeconds: number): number {
  return Math.min(MOST_GRACE_SECONDS, Math.max(LEAST_GRACE_SECONDS, intervalSeconds * GRACE_SHARE));
}

function said(cadence: Cadence): string {
  return cadence.kind === 'every'
    ? `one every ${writeDuration(cadence.seconds)}`
    : `one at "${cadence.expression}" (UTC)`;
}
