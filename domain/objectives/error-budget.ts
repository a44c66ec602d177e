// The error budget: how many of the runs that were due in a window may go wrong before the success rate of the
// policy is missed, how many have, and how fast the rest is being used up.

import type { WindowName } from './windows.ts';
import type { RunCounts } from './success-rate.ts';

/** The window that the objective is held against. */
export const BUDGET_WINDOW: WindowName = 'days30';

/** The window whose pace is told. */
export const BURN_WINDOW: WindowName = 'days7';

export interface ErrorBudget {
  /** 0 to 1, as configured. */
  objective: number;
  /** null: nothing was due. */
  rate: number | null;
  /** Runs that may go wrong among those due in the window; a fraction, where few were due. */
  allowed: number;
  /** Runs that failed or were missed. */
  used: number;
  /** `allowed - used`: below 0 the objective is missed. */
  remaining: number;
  /** 1: untouched; 0: used up; below 0: overdrawn. null: none is allowed, and so there is nothing to share. */
  remainingShare: number | null;
  /** 1: at the pace of the last 7 days it is just used up; 2: twice as fast. null: nothing was due, or allowed. */
  burnRate: number | null;
}

/** null: the policy sets no success rate. */
export function errorBudget(
  objective: number | null | undefined,
  window: RunCounts,
  recent: RunCounts,
): ErrorBudget | null {
  if (objective === null || objective === undefined) return null;
  const due = dueOf(window);
  const allowedShare = exact(1 - objective);
  const allowed = exact(due * allowedShare);
  const used = window.failed + window.missed;
  const recentDue = dueOf(recent);
  return {
    objective,
    rate: due === 0 ? null : window.succeeded / due,
    allowed,
    used,
    remaining: exact(allowed - used),
    remainingShare: allowed === 0 ? null : exact(1 - used / allowed),
    burnRate:
      allowedShare === 0 || recentDue === 0
        ? null
        : exact((recent.failed + recent.missed) / recentDue / allowedShare),
  };
}

/** Used to the last run, or beyond. An untouched budget is never exhausted, however small. */
export function isExhausted({ used, remaining }: ErrorBudget): boolean {
  return used > 0 && remaining <= 0;
}

export interface BudgetFinding {
  health: 'warning';
  breach: 'successRate' | 'errorBudget';
  reason: string;
  next: string;
}

/** What `status` says of it: nothing as long as some of the budget is left. */
export function budgetFindings(budget: ErrorBudget | null | undefined, asset: string): BudgetFinding[] {
  if (!budget || !isExhausted(budget)) return [];
  const { used, remaining, objective, rate } = budget;
  const next = `see which with \`holdfast jobs list --asset ${asset}\`, and mend the cause they share`;
  const runs = used === 1 ? '1 of its runs' : `${used} of its runs`;
  const words = `in the last 30 days ${runs} failed or did not happen`;
  if (remaining === 0)
    return [
      {
        health: 'warning',
        breach: 'errorBudget',
        next,
        reason: `${words}: its error budget for ${percent(objective)} is used up`,
      },
    ];
  return [
    {
      health: 'warning',
      breach: 'successRate',
      next,
      reason: `${words}: ${percent(rate ?? 0)} were well, and the objective is ${percent(objective)}`,
    },
  ];
}

/** `99.5 %`. Cut, not rounded: 99.96 % must not read as 100 %. */
export function percent(share: number): string {
  return `${Math.floor(exact(share * 1000)) / 10} %`;
}

function dueOf({ succeeded, failed, missed }: RunCounts): number {
  return succeeded + failed + missed;
}

/** 1 − 0.99 is not 0.01 in binary: without this a budget of just one run would have 1.0000000000000009. */
function exact(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}
