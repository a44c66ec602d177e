// Whether a verification's own numbers can be kept: what its runs read must be everything within the period.

import { parseDuration, writeDuration } from '../duration.ts';
import { parseShare, writeShare } from '../share.ts';
import { groupsFor, MOST_GROUPS } from '../verification/groups.ts';
import { longestGap, refuseCron } from './cadence.ts';
import { valueAt } from './findings.ts';
import type { Finding, Path } from './problem.ts';
import { verificationDefaults } from './schema-verification.ts';

/** Of a policy's `verification`, as written. A value that is none is refused by the schema and passed over here. */
export function brokenVerification(document: unknown, path: Path): Finding[] {
  const block = valueAt(document, path);
  if (typeof block !== 'object' || block === null) return [];
  const at = (key: string): Path => (Object.hasOwn(block, key) ? [...path, key] : path);
  const text = (key: string) => {
    const value = valueAt(document, [...path, key]);
    return typeof value === 'string' ? value : null;
  };
  if (valueAt(document, [...path, 'every']) !== undefined && text('cron') !== null) {
    const message = 'the verification has both every and cron';
    return [{ path: at('cron'), atKey: true, firstAt: at('every'), message, fix: 'keep one of the two' }];
  }
  const every = gapBetweenRuns(text('every'), text('cron'));
  if (every === null) return [];
  const runs = `from one run to the next it takes ${inWords(every)}`;
  const within = parseDuration(text('within') ?? '') ?? verificationDefaults.withinSeconds;
  if (within < every) {
    const message = `not everything can be read within ${inWords(within)}: ${runs}`;
    const fix = `run more often, or write within: ${inWords(every)} or longer`;
    return [{ path: at('within'), message, fix }];
  }
  return [
    ...tooSmallShare(at('readData'), parseShare(text('readData') ?? ''), every, within),
    ...tooOften(at('rehearse'), parseDuration(text('rehearse') ?? ''), every),
  ];
}

/** null: not said rightly. */
function gapBetweenRuns(every: string | null, cron: string | null): number | null {
  if (cron !== null) return refuseCron(cron) === null ? longestGap(cron) : null;
  return every === null ? verificationDefaults.everySeconds : parseDuration(every);
}

function tooSmallShare(path: Path, share: number | null, every: number, within: number): Finding[] {
  if (share === null) return [];
  const groups = groupsFor(share);
  if (groups > MOST_GROUPS) {
    const message = `too small a share: restic divides what it reads into ${MOST_GROUPS} parts at most`;
    return [{ path, message, fix: `write ${writeShare(1 / MOST_GROUPS)} or more, and run less often` }];
  }
  const takes = groups * every;
  if (takes <= within) return [];
  const wanted = writeShare(1 / Math.floor(within / every));
  const message = `${writeShare(share)} every ${inWords(every)} reads everything in ${inWords(takes)}, not within ${inWords(within)}`;
  const fix = `write ${wanted} or more, within: ${inWords(takes)} or longer, or leave readData out`;
  return [{ path, message, fix }];
}

function tooOften(path: Path, rehearse: number | null, every: number): Finding[] {
  if (rehearse === null || rehearse >= every) return [];
  const message = `nothing is rehearsed every ${inWords(rehearse)} by runs that are up to ${inWords(every)} apart`;
  return [{ path, message, fix: `write ${inWords(every)} or longer, or run more often` }];
}

/** In days where they come out even: `34d` is easier to compare with 30 of them than `4w6d`. */
function inWords(seconds: number): string {
  return seconds % 86_400 === 0 ? `${seconds / 86_400}d` : writeDuration(seconds);
}
