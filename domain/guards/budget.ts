// The day's upload budget of a repository: which day it is, and whether a send may begin now or goes on after
// the reset. A day begins at the stated hour, in UTC.

import { formatBytes } from '../bytes.ts';
import type { DailyUpload } from '../configuration/types.ts';

/** RFC 3339; from `startsAt` to just before `resetsAt`. */
export interface BudgetDay {
  startsAt: string;
  resetsAt: string;
}

export function budgetDay(now: Date, resetSeconds: number): BudgetDay {
  const shifted = now.getTime() - resetSeconds * 1000;
  const start = Math.floor(shifted / DAY) * DAY + resetSeconds * 1000;
  return { startsAt: new Date(start).toISOString(), resetsAt: new Date(start + DAY).toISOString() };
}

const DAY = 86_400_000;

export interface BudgetFacts {
  budget: DailyUpload;
  /** Sent since the day began, as far as is known. */
  sent: number;
  /** Promised to others: what they have begun to send, and what waits longer and is due. */
  promised: number;
  expected: number;
  /** Since when this send waits; null: it has not been asked for before. */
  waitingSince: string | null;
}

export type BudgetDecision =
  /** `overrun`: by how much the day's budget will be exceeded; 0 as a rule. */
  { go: true; overrun: number } | { go: false; until: string };

/**
 * A send that fits goes; another waits for the reset. One that no whole day's budget could hold goes on a day of
 * which nothing is used, and at the latest after the first reset it waited for: it must not wait for ever.
 */
export function decideBudget(facts: BudgetFacts, now: Date): BudgetDecision {
  const { budget, sent, promised, expected, waitingSince } = facts;
  const day = budgetDay(now, budget.resetSeconds);
  const overrun = Math.max(0, sent + promised + expected - budget.bytes);
  if (overrun === 0) return { go: true, overrun: 0 };
  const waited = waitingSince !== null && Date.parse(waitingSince) < Date.parse(day.startsAt);
  if (expected > budget.bytes && (waited || sent + promised === 0)) return { go: true, overrun };
  return { go: false, until: day.resetsAt };
}

/** Why a send waits, in the words of the job's event. */
export function waitingWords(
  subject: { asset: string; repository: string },
  facts: BudgetFacts,
  until: string,
): string {
  const { budget, sent, promised, expected } = facts;
  const others = promised > 0 ? `, ${formatBytes(promised)} promised to others` : '';
  return [
    `${subject.asset} waits for the upload budget of ${subject.repository}:`,
    `${formatBytes(sent)} of ${formatBytes(budget.bytes)} are used today${others},`,
    `about ${formatBytes(expected)} are expected; it goes on at ${until}`,
  ].join(' ');
}

export function overrunWords(
  subject: { asset: string; repository: string },
  { budget, expected }: BudgetFacts,
): string {
  return [
    `${subject.asset} is larger than the upload budget of ${subject.repository} for a whole day`,
    `(about ${formatBytes(expected)} of ${formatBytes(budget.bytes)}): it is sent today all the same,`,
    'and what it sends is counted',
  ].join(' ');
}
