// What must hold between a repository's URL and how it is reached: looked for in the document as written.

import { valueAt } from './findings.ts';
import type { Finding, Path } from './problem.ts';

export function brokenTargets(document: unknown, repository: Path): Finding[] {
  const path = [...repository, 'ssh'];
  const url = valueAt(document, [...repository, 'url']);
  if (valueAt(document, path) === undefined || typeof url !== 'string' || url.startsWith('sftp:')) return [];
  const message = 'this repository is not reached by ssh';
  return [{ path, atKey: true, message, fix: 'take it out, or write an sftp: URL' }];
}
