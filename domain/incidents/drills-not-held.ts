// A drill that was due and of which there is nothing: no pipeline fails where none begins. The report to auditors
// counts it as a miss a day later; here somebody is told while it can still be held.

import { dueBetween } from '../cadence/due-between.ts';
import { drillRunOf } from '../cadence/scheduled-runs.ts';
import type { Drill } from '../configuration/drill-types.ts';
import type { JobStatus } from '../job.ts';
import type { Condition } from './condition.ts';
import type { DrillRunFact } from './facts.ts';
import { moment } from './lines.ts';

/** It begins exactly when due, or is made up for after a restart: later than this it does not come by itself. */
const GRACE_MILLISECONDS = 3600 * 1000;

/** The newest moment at which it had to have begun, with the grace gone; null: there was none, or it has none. */
export function lastDueOf(drill: Drill, now: Date): Date | null {
  const run = drillRunOf(drill);
  if (run === null) return null;
  const until = now.getTime() - GRACE_MILLISECONDS;
  return dueBetween(run, new Date(until - 2 * run.catchUpSeconds * 1000), new Date(until)).at(-1) ?? null;
}

/** Whether what was begun last answers for that moment: it still runs, or left a verdict. */
export function isHeld(dueAt: Date, newest: DrillRunFact['newest']): boolean {
  if (newest === null || Date.parse(newest.startedAt) < dueAt.getTime()) return false;
  return newest.hasVerdict || !ENDED.includes(newest.status);
}

const ENDED: JobStatus[] = ['success', 'warning', 'failed', 'cancelled'];

export function notHeld({ drill, dueAt, policies, newest }: DrillRunFact): Condition {
  const begun = newest !== null && Date.parse(newest.startedAt) >= Date.parse(dueAt) ? newest : null;
  const due = `it was due at ${moment(dueAt)}`;
  return {
    ...{ key: `drill/${drill}/notHeld`, topic: 'drill', policies, asset: null },
    // Somebody cancelled it, and knows.
    severity: begun?.status === 'cancelled' ? 'warning' : 'critical',
    title: `drill ${drill} was due and not held`,
    reason:
      begun === null
        ? `${due}, and none has begun since`
        : `${due}; the one begun at ${moment(begun.startedAt)} ended ${begun.status} and left no evidence`,
    next: `\`holdfast drill run ${drill}\`; \`holdfast doctor\` shows whether Temporal and the worker run`,
  };
}
