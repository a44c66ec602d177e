// What must hold between the limits of a repository: looked for in the document as written.

import { formatBytes, parseBytes } from '../bytes.ts';
import { LEAST_BUDGET_BYTES } from '../guards/sent.ts';
import { valueAt } from './findings.ts';
import type { Finding, Path } from './problem.ts';
import { isLocalRepository } from './repository-url.ts';

export function brokenGuards(document: unknown, repository: Path): Finding[] {
  return [...budget(document, [...repository, 'limits']), ...marks(document, repository)];
}

function budget(document: unknown, limits: Path): Finding[] {
  const path = [...limits, 'dailyUpload'];
  const written = valueAt(document, path);
  const bytes = typeof written === 'string' ? parseBytes(written) : written;
  if (written === undefined && valueAt(document, [...limits, 'dailyReset']) !== undefined) {
    const message = 'there is no budget to reset';
    return [
      {
        path: [...limits, 'dailyReset'],
        atKey: true,
        message,
        fix: 'add dailyUpload: 500GiB, or take it out',
      },
    ];
  }
  if (typeof bytes !== 'number' || bytes >= LEAST_BUDGET_BYTES) return [];
  const least = formatBytes(LEAST_BUDGET_BYTES);
  const message = `a day's budget must hold one pack of restic's (16 MiB) and what goes with it: nothing could be sent under ${least}`;
  return [{ path, message, fix: `write ${least.replace(' ', '')} or more, or leave dailyUpload out` }];
}

function marks(document: unknown, repository: Path): Finding[] {
  const path = [...repository, 'headroom'];
  const written = valueAt(document, path);
  if (typeof written !== 'object' || written === null) return [];
  const url = valueAt(document, [...repository, 'url']);
  const findings: Finding[] = [];
  if (
    typeof url === 'string' &&
    !isLocalRepository(url) &&
    valueAt(document, [...path, 'capacity']) === undefined
  )
    findings.push({
      path,
      message: 'how large a remote repository may become is not known here',
      fix: 'add capacity: 500GiB',
    });
  if (valueAt(document, [...path, 'capacity']) === 0)
    findings.push({ path: [...path, 'capacity'], message: 'nothing fits into this', fix: 'write its size' });
  const high = percentAt(document, [...path, 'highWatermark']);
  const low = percentAt(document, [...path, 'lowWatermark']);
  if (low !== null && low >= (high ?? 95))
    findings.push({
      path: [...path, 'lowWatermark'],
      message: `the low watermark must lie below the high one (${high ?? 95}%)`,
      fix: 'lower it, for example by 5',
    });
  return findings;
}

function percentAt(document: unknown, path: Path): number | null {
  const written = valueAt(document, path);
  const number = typeof written === 'string' ? /^(\d{1,3})%$/.exec(written)?.[1] : undefined;
  return number === undefined ? null : Number(number);
}
