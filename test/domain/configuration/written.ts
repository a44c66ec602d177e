// A small right configuration, to be made wrong in one place at a time.

import assert from 'node:assert/strict';
import { parseConfiguration } from '../../../domain/configuration/parse.ts';
import type { Retention } from '../../../domain/configuration/types.ts';
import type { Problem } from '../../../domain/configuration/problem.ts';
import { ConfigurationError } from '../../../domain/configuration/problem.ts';

const parts = {
  head: 'version: 1',
  repositories: `repositories:
  - { name: local, type: restic, url: ./repo, password: file:./repo.key }
  - { name: offsite, type: restic, url: "s3:https://s3.example.org/bucket", password: env:OFFSITE_KEY }`,
  assets: `assets:
  - { name: orders, type: postgres, url: env:ORDERS_URL }
  - { name: uploads, type: directory, path: /srv/uploads }`,
  policies: `policies:
  - { name: daily, assets: [orders, uploads], every: 24h, repository: local, copies: [offsite] }`,
  notifications: `notifications:
  - { name: ops, type: slack, url: env:SLACK_URL }`,
};

export function written(changes: Partial<typeof parts> = {}): string {
  return Object.values({ ...parts, ...changes }).join('\n') + '\n';
}

export const repository = (more: string): string =>
  written({ repositories: `repositories:\n  - { name: local, type: restic, ${more} }`, policies: '' });
export const asset = (more: string): string =>
  written({ assets: `assets:\n  - { name: a, ${more} }`, policies: '' });
export const directory = (more: string): string => asset(`type: directory, path: /srv/a, ${more}`);
export const policy = (more: string): string =>
  written({ policies: `policies:\n  - { name: p, assets: [orders, uploads], ${more} }` });

/** A retention as normalised, in which no word was given. */
export const keepsNothing: Retention = {
  keepLast: null,
  keepHourly: null,
  keepDaily: null,
  keepWeekly: null,
  keepMonthly: null,
  keepYearly: null,
  keepWithinSeconds: null,
  keepWithinHourlySeconds: null,
  keepWithinDailySeconds: null,
  keepWithinWeeklySeconds: null,
  keepWithinMonthlySeconds: null,
  keepWithinYearlySeconds: null,
};

export const source = { file: 'holdfast.yaml', folder: '/etc/holdfast' };

export function read(text: string) {
  return parseConfiguration(text, source);
}

export function errorOf(text: string): ConfigurationError {
  try {
    read(text);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return error;
  }
  assert.fail(`taken, but should have been refused:\n${text}`);
}

/** What should be said of a place: its path, the words, and where it matters the value shown or the fix. */
export interface Refusal {
  path?: string;
  says: RegExp;
  shows?: string | null;
  fix?: RegExp;
}

/** Each `§` in the text stands before a place that must be refused, in the order of `refusals`; nothing else may be. */
export function assertRefused(marked: string, ...refusals: Refusal[]): void {
  const { text, places } = unmark(marked);
  const { problems } = errorOf(text);
  const found = problems.map(({ line, column }) => `${line}:${column}`);
  assert.deepEqual(found, places, problems.map((problem) => JSON.stringify(problem)).join('\n'));
  for (const [index, { path, says, shows, fix }] of refusals.entries()) {
    const problem = problems[index] as Problem;
    assert.match(problem.message, says);
    if (path !== undefined) assert.equal(problem.path, path);
    if (shows !== undefined) assert.equal(problem.value, shows);
    assert.match(problem.fix, fix ?? /./);
  }
  assert.equal(problems.length, refusals.length);
}

function unmark(marked: string): { text: string; places: string[] } {
  const places: string[] = [];
  const lines = marked.split('\n').map((line, row) => {
    const pieces = line.split('§');
    let column = 1;
    for (const piece of pieces.slice(0, -1)) {
      column += piece.length;
      places.push(`${row + 1}:${column}`);
    }
    return pieces.join('');
  });
  return { text: lines.join('\n'), places };
}
