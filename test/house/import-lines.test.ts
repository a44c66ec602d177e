import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** [the file, what it says, what the reader is told]. */
type Refused = [file: string, code: string, told: RegExp];
type Accepted = [file: string, code: string];

const refused: Refused[] = [
  ['domain/retention.ts', `import '../catalog/jobs.ts';`, /domain may not import catalog.*pure functions/],
  ['domain/retention.ts', `import type { Job } from '../catalog/jobs.ts';`, /imports nothing of ours/],
  ['domain/deep/retention.ts', `export * from '../../tools/lock.ts';`, /domain may not import tools/],
  [
    'domain/retention.ts',
    `import { readFile } from 'node:fs/promises';`,
    /domain may not import node:fs.*I\/O/,
  ],
  ['domain/retention.ts', `import { join } from 'path';`, /domain may not import path/],
  ['domain/retention.ts', `import { Client } from 'pg';`, /Its packages are zod/],
  [
    'domain/retention.ts',
    `export const one = await import('../api/server.ts');`,
    /domain may not import api/,
  ],
  ['domain/retention.ts', `export type One = import('../api/server.ts').One;`, /domain may not import api/],

  [
    'workflows/sync.ts',
    `import { store } from '../activities/store.ts';`,
    /by `import type`.*belongs in an activity/,
  ],
  ['workflows/sync.ts', `import { type Store } from '../activities/store.ts';`, /by `import type`/],
  ['workflows/sync.ts', `import type { Row } from '../catalog/jobs.ts';`, /workflows may not import catalog/],
  [
    'workflows/sync.ts',
    `import { randomUUID } from 'node:crypto';`,
    /replayed from history.*differ from run to run/,
  ],
  [
    'workflows/sync.ts',
    `import { Worker } from '@temporalio/worker';`,
    /Its packages are @temporalio\/workflow/,
  ],

  ['activities/sync.ts', `import { backup } from '../workflows/backup.ts';`, /the business of workflows/],
  [
    'activities/sync.ts',
    `import type { Services } from '../api/services.ts';`,
    /activities may not import api/,
  ],
  [
    'activities/sources/bucket.ts',
    `import { Context } from '@temporalio/activity';`,
    /a driver sees its Step only/,
  ],
  [
    'catalog/sync.ts',
    `import { connect } from '../client/connection.ts';`,
    /not be able to make anything happen/,
  ],
  [
    'client/sync.ts',
    `import { backup } from '../workflows/backup.ts';`,
    /would run workflow code outside Temporal/,
  ],
  ['client/sync.ts', `import { jobs } from '../catalog/jobs.ts';`, /client may not import catalog/],
  ['schedules/sync.ts', `import { backup } from '../workflows/backup.ts';`, /a schedule names the workflow/],
  ['workers/sync.ts', `import { buildServer } from '../api/server.ts';`, /without the API beside it/],
  ['workers/sync.ts', `import { main } from '../cli/main.ts';`, /workers may not import cli/],
  ['api/sync.ts', `import { store } from '../activities/store.ts';`, /work outlives the request/],
  ['api/sync.ts', `import { backup } from '../workflows/backup.ts';`, /api may not import workflows/],
  ['cli/backup.ts', `import { jobs } from '../catalog/jobs.ts';`, /client of the API over HTTP/],
  ['cli/backup.ts', `import { run } from '../workers/main.ts';`, /cli may not import workers/],
  ['cli/recover.ts', `import { buildServer } from '../api/server.ts';`, /cli may not import api/],
  [
    'tools/fetch.ts',
    `import { runCommand } from '../activities/run-command.ts';`,
    /set-up runs before anything else/,
  ],
  ['tools/fetch.ts', `import { main } from '../cli/main.ts';`, /tools may not import cli/],
  ['domain/retention.ts', `import { once } from '../test/once.ts';`, /domain may not import test/],

  ['tools/fetch.ts', `import { spawn } from 'node:child_process';`, /started through execa/],
  ['activities/sources/bucket.ts', `import { execa } from 'execa';`, /run by runCommand/],
  ['tools/fetch.ts', `import { execaCommand } from 'execa';`, /Give a list/],
  ['tools/fetch.ts', `export const options = { shell: true };`, /a shell would read names/],
  ['domain/retention.ts', `export default function plan() {}`, /export it by name/],
  ['workers/sync.ts', `console.log('here');`, /Unexpected console/],
  ['domain/recoveryPoint.ts', `export const one = 1;`, /not kebab-case/],
  ['domain/long.ts', 'export {};\n'.repeat(351), /too many lines/],
];

const accepted: Accepted[] = [
  ['domain/retention.ts', `import { z } from 'zod';\nimport { reaches } from './proof.ts';`],
  [
    'workflows/sync.ts',
    `import type { Store } from '../activities/store.ts';\nimport { reaches } from '../domain/proof.ts';`,
  ],
  ['workflows/sync.ts', `import { proxyActivities } from '@temporalio/workflow';`],
  [
    'activities/sync.ts',
    `import { jobs } from '../catalog/jobs.ts';\nimport { resolveTool } from '../tools/resolve.ts';`,
  ],
  ['activities/sources/bucket.ts', `import { open } from 'node:fs/promises';`],
  [
    'client/sync.ts',
    `import { commit } from '../workflows/messages.ts';\nimport type { backup } from '../workflows/backup.ts';`,
  ],
  ['schedules/sync.ts', `import type { backup } from '../workflows/backup.ts';`],
  [
    'workers/sync.ts',
    `import { backup } from '../workflows/backup.ts';\nimport { connect } from '../client/connection.ts';`,
  ],
  [
    'api/sync.ts',
    `import { connect } from '../client/connection.ts';\nimport { version } from '../package.json';`,
  ],
  ['cli/up.ts', `import { run } from '../workers/main.ts';\nimport { buildServer } from '../api/server.ts';`],
  ['cli/up-detached.ts', `import { run } from '../workers/main.ts';`],
  ['cli/recover-text.ts', `import type { Report } from '../workers/recover/report.ts';`],
  ['cli/doctor.ts', `import { inspectTools } from '../tools/doctor.ts';\nconsole.log(inspectTools);`],
  ['tools/demo.ts', `import { main } from '../cli/main.ts';\nimport { execa } from 'execa';`],
  ['activities/run-command.ts', `import { execa } from 'execa';`],
  [
    'test/api/sync.test.ts',
    `import { backup } from '../../workflows/backup.ts';\nimport '../../api/server.ts';`,
  ],
];

describe('the lines between the rooms', function () {
  this.timeout(180_000);

  // Without type information, because these files are not there; the rules with it have their test below.
  const eslint = new ESLint({ cwd: root, overrideConfig: [tseslint.configs.disableTypeChecked] });

  for (const [file, code, told] of refused) {
    it(`refuses in ${file}: ${code.split('\n')[0]}`, async () => {
      assert.match((await complaints(eslint, file, code)).join('\n'), told);
    });
  }

  for (const [file, code] of accepted) {
    it(`lets ${file} have: ${code.split('\n')[0]}`, async () => {
      assert.deepEqual(await complaints(eslint, file, code), []);
    });
  }
});

describe('rules that know types', function () {
  this.timeout(180_000);

  it('refuse a forgotten promise, a case left out, any, and an import that is only a type', async () => {
    const code = `
      import { reaches, Proof } from './proof.ts';
      export async function one(): Promise<void> {}
      export function two(proof: Proof, three: any): boolean {
        one();
        [1].forEach(async () => one());
        switch (proof) { case 'stored': return reaches(proof, three); }
        return false;
      }`;
    // A file that is not there, so that only what it imports is read, not the whole project.
    const projectService = { allowDefaultProject: ['domain/*.ts'], defaultProject: 'tsconfig.json' };
    const eslint = new ESLint({
      cwd: root,
      overrideConfig: [{ languageOptions: { parserOptions: { projectService } } }],
    });
    const told = await complaints(eslint, 'domain/nowhere.ts', code);
    for (const rule of [
      'no-floating-promises',
      'no-misused-promises',
      'switch-exhaustiveness-check',
      'no-explicit-any',
      'consistent-type-imports',
    ]) {
      assert.ok(
        told.some((line) => line.startsWith(`@typescript-eslint/${rule}:`)),
        `${rule} is silent: ${told.join('\n')}`,
      );
    }
  });
});

async function complaints(eslint: ESLint, file: string, code: string): Promise<string[]> {
  const results = await eslint.lintText(`${code}\n`, { filePath: `${root}${file}`, warnIgnored: true });
  return results.flatMap(({ messages }) => messages.map((entry) => `${entry.ruleId}: ${entry.message}`));
}
