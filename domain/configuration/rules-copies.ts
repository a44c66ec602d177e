// Whether a copy says when it is made in one way, and not too seldom for the lag it is allowed.

import { formatDuration, parseDuration } from '../duration.ts';
import { longestGap, refuseCron } from './cadence.ts';
import { valueAt } from './findings.ts';
import type { Finding, Path } from './problem.ts';

/** `copy`: the path of one entry of a policy's `copies`. A value that is none is refused by the schema. */
export function brokenCopy(document: unknown, copy: Path): Finding[] {
  const text = (key: string) => {
    const value = valueAt(document, [...copy, key]);
    return typeof value === 'string' ? value : null;
  };
  const [every, cron] = [text('every'), text('cron')];
  if (every !== null && cron !== null) {
    const message = 'the copy has both every and cron';
    const path = [...copy, 'cron'];
    return [{ path, atKey: true, firstAt: [...copy, 'every'], message, fix: 'keep one of the two' }];
  }
  const lag = parseDuration(text('lag') ?? '');
  const gap = gapBetweenRuns(every, cron);
  if (lag === null || gap === null || gap <= lag) return [];
  const message = `runs up to ${formatDuration(gap)} apart cannot keep a lag of ${formatDuration(lag)}`;
  return [{ path: [...copy, 'lag'], message, fix: 'copy more often, or allow a longer lag' }];
}

function gapBetweenRuns(every: string | null, cron: string | null): number | null {
  if (cron !== null) return refuseCron(cron) === null ? longestGap(cron) : null;
  return parseDuration(every ?? '');
}
