import { nextRun, type DueTimes } from './next-run.ts';

/** Past this many, nobody counts any more. */
const COUNTED = 1_000;

/** The moments that came due after `from`, up to and with `to`; the first 1,000 of them. */
export function dueBetween(times: DueTimes, from: Date, to: Date): Date[] {
  const due: Date[] = [];
  for (let at = nextRun(times, from); at <= to && due.length < COUNTED; at = nextRun(times, at)) due.push(at);
  return due;
}
