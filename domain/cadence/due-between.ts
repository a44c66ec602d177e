import { Cron } from 'croner';
import { CRON_OPTIONS, type DueTimes } from './next-run.ts';

/** More are not told apart: that is a week at one a minute. */
const MOST = 10_080;

/** The moments that came due after `from`, up to and with `to`, oldest first; of very many the latest, of cron the oldest. */
export function dueBetween({ cadence, offsetSeconds }: DueTimes, from: Date, to: Date): Date[] {
  if (to <= from) return [];
  return cadence.kind === 'every'
    ? multiples(cadence.seconds * 1000, offsetSeconds * 1000, from, to)
    : crons(cadence.expression, from, to);
}

function multiples(every: number, offset: number, from: Date, to: Date): Date[] {
  const last = Math.floor((to.getTime() - offset) / every);
  const first = Math.max(Math.floor((from.getTime() - offset) / every) + 1, last - MOST);
  return Array.from(
    { length: Math.max(0, last - first + 1) },
    (_, index) => new Date((first + index) * every + offset),
  );
}

function crons(expression: string, from: Date, to: Date): Date[] {
  const cron = new Cron(expression, CRON_OPTIONS);
  const due: Date[] = [];
  for (let at = cron.nextRun(from); at && at <= to && due.length <= MOST; at = cron.nextRun(at)) due.push(at);
  return due;
}
