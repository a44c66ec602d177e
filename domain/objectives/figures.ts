// The figures of one asset under one policy, put together from what was counted of it.

import { errorBudget, BUDGET_WINDOW, BURN_WINDOW, type ErrorBudget } from './error-budget.ts';
import { durationTrend, type DailyDuration, type DurationTrend } from './duration-trend.ts';
import { successRate, type RunCounts, type SuccessRate } from './success-rate.ts';
import { dayOf, firstDayOf, forEachWindow, WINDOW_DAYS, type Windows } from './windows.ts';

/** What was counted of an asset under one policy, or of its restores, which are of none. */
export interface Counted {
  backups: Windows<RunCounts>;
  /** Rehearsals and validations of restores; none is ever missed. */
  validations: Windows<RunCounts>;
  /** What its points added to the repository they were stored in first. */
  addedBytes: Windows<number>;
  storing: DailyDuration[];
  rehearsing: DailyDuration[];
}

export interface ObjectiveFigures {
  successRates: { backups: Windows<SuccessRate>; validations: Windows<SuccessRate> };
  /** null: the policy sets no success rate. */
  errorBudget: ErrorBudget | null;
  /** Bytes its points added in each window; null: nothing of it was ever counted. */
  growth: Windows<number | null>;
  durations: { backup: DurationTrend; rehearsal: DurationTrend };
}

export interface FiguresRequest {
  counted: readonly Counted[];
  /** Due and not begun, and not among the counted yet. */
  missed: readonly Date[];
  objective: number | null;
  now: Date;
}

export function figuresOf({ counted, missed, objective, now }: FiguresRequest): ObjectiveFigures {
  const missedDays = missed.map(dayOf);
  const backups = forEachWindow((window) => {
    const from = missedDays.length === 0 ? '' : firstDayOf(WINDOW_DAYS[window], now);
    const open = missedDays.filter((day) => day >= from).length;
    return together([
      ...counted.map((each) => each.backups[window]),
      { succeeded: 0, failed: 0, missed: open },
    ]);
  });
  const validations = forEachWindow((window) => together(counted.map((each) => each.validations[window])));
  return {
    successRates: {
      backups: forEachWindow((window) => successRate(backups[window])),
      validations: forEachWindow((window) => successRate(validations[window])),
    },
    errorBudget: errorBudget(objective, backups[BUDGET_WINDOW], backups[BURN_WINDOW]),
    growth: forEachWindow((window) =>
      counted.length === 0 ? null : sum(counted.map((each) => each.addedBytes[window])),
    ),
    durations: {
      backup: durationTrend(counted.flatMap((each) => each.storing)),
      rehearsal: durationTrend(counted.flatMap((each) => each.rehearsing)),
    },
  };
}

function together(counts: readonly RunCounts[]): RunCounts {
  return {
    succeeded: sum(counts.map(({ succeeded }) => succeeded)),
    failed: sum(counts.map(({ failed }) => failed)),
    missed: sum(counts.map(({ missed }) => missed)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
