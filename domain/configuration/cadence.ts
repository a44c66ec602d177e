// Cron as Temporal's schedules read it, checked here with croner: five fields, or a nickname, in UTC.

import { Cron } from 'croner';
import { CRON_OPTIONS } from '../cadence/next-run.ts';
import type { Refusal } from './say.ts';

const nicknames = ['@hourly', '@daily', '@weekly', '@monthly', '@yearly'];

/** null: it comes due. */
export function refuseCron(expression: string): Refusal | null {
  if (expression.startsWith('@')) {
    if (nicknames.includes(expression)) return null;
    return { message: 'this nickname is unknown', fix: `use one of ${nicknames.join(', ')}, or five fields` };
  }
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5) {
    const fix = 'write minute, hour, day of the month, month, day of the week, for example "0 3 * * *"';
    return { message: `a cron expression has five fields, this has ${fields.length}`, fix };
  }
  // croner knows more (L, W, #, +, ?) than Temporal does.
  if (fields.some((field) => !/^[A-Za-z0-9*,/-]+$/.test(field)) || /\d[A-Za-z]|\bL\b/i.test(expression)) {
    return {
      message: 'the cron expression has a sign that is not taken here',
      fix: 'use numbers, names, * , - and /',
    };
  }
  const [, , dayOfMonth = '', , dayOfWeek = ''] = fields;
  if (!dayOfMonth.startsWith('*') && !dayOfWeek.startsWith('*')) {
    return {
      message:
        'day of the month and day of the week are both given: to cron that means either, to Temporal both',
      fix: 'give one of them and * for the other',
    };
  }
  return neverDue(expression);
}

/**
 * The longest time from one run to the next, in seconds, over the next 400 runs, or as many as there are until all
 * comes again: finding one takes most of a millisecond.
 */
export function longestGap(expression: string): number {
  const cron = parsed(expression);
  const until = start.getTime() + daysToRepeat(expression) * 86_400_000;
  const runs: Date[] = [];
  for (let run = cron.nextRun(start); run && runs.length < 400; run = cron.nextRun(run)) {
    runs.push(run);
    if (run.getTime() > until) break;
  }
  const gaps = runs.slice(1).map((run, index) => (run.getTime() - (runs[index]?.getTime() ?? 0)) / 1000);
  return Math.max(0, ...gaps);
}

/** Days or weeks that are all alike, and one more run; else the runs of years. */
function daysToRepeat(expression: string): number {
  const [, , dayOfMonth, month, dayOfWeek] = expression.split(/\s+/);
  if (dayOfMonth !== '*' || month !== '*') return Number.POSITIVE_INFINITY;
  return dayOfWeek === '*' ? 1 : 7;
}

/** A fixed one: what a configuration means must not depend on the day it is read. */
const start = new Date('2026-01-01T00:00:00Z');

function parsed(expression: string): Cron {
  return new Cron(expression, CRON_OPTIONS);
}

function neverDue(expression: string): Refusal | null {
  try {
    if (parsed(expression).nextRun(start) !== null) return null;
    return {
      message: 'this moment never comes',
      fix: 'check the day against the month (there is no 30 February)',
    };
  } catch {
    const fix = 'minute 0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-7, for example "0 3 * * *"';
    return { message: 'the cron expression has a value out of its range', fix };
  }
}
