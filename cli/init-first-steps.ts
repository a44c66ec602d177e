// From a written configuration to a first proven point and a first restore, through the same commands a person
// would type: what they see here is what they will do later.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { HoldfastError, isFailureCode } from '../domain/errors.ts';
import type { ErrorContract } from '../domain/errors.ts';
import type { Job } from '../domain/job.ts';
import type { Restore } from '../domain/restore.ts';
import { POLICY } from './init-answers.ts';
import type { AssetAnswer } from './init-answers.ts';
import type { Call } from './outcome.ts';

export interface FirstSteps {
  start(): Promise<void>;
  backUp(): Promise<Job>;
  /** Beside what is there, which stays as it is. */
  restoreBeside(asset: AssetAnswer): Promise<Restore>;
}

export function firstSteps(call: Call, configuration: string): FirstSteps {
  async function run<Answer>(...words: string[]): Promise<Answer> {
    call.say(`\n$ holdfast ${words.join(' ')}`);
    const bin = [...process.execArgv, process.argv[1] ?? ''];
    const { stdout, exitCode } = await execa(
      process.execPath,
      [...bin, '--config', configuration, '--json', ...words],
      { stdin: 'ignore', stderr: 'inherit', reject: false },
    );
    const answer = JSON.parse(stdout || '{}') as Answer & { error?: ErrorContract };
    if (exitCode === 0) return answer;
    throw failureOf(words, answer.error, `it ended with exit code ${exitCode}`);
  }

  return {
    start: async () => {
      await run('up', '--detach');
    },
    backUp: () => run<Job>('backup', 'run', POLICY),
    restoreBeside: async (asset) => {
      const to = placeBeside(asset, configuration);
      const { id } = await run<Restore>('restore', 'prepare', '--asset', asset.name, '--to', to);
      return run<Restore>('restore', 'commit', id);
    },
  };
}

/** How to see with one's own eyes that it is all there. */
export function howToLook(asset: AssetAnswer, restored: string): string {
  switch (asset.type) {
    case 'directory':
      return `diff -r -- ${quoted(asset.path)} ${quoted(restored)} && echo the same`;
    case 'sqlite':
      return `sqlite3 ${quoted(restored)} .tables`;
    case 'postgres':
      return `psql -d ${quoted(restored)} -c '\\dt'   (on the same server)`;
  }
}

function placeBeside(asset: AssetAnswer, configuration: string): string {
  if (asset.type === 'postgres') return `${asset.name.replaceAll(/[^a-z0-9]/g, '_')}_first_restore`;
  for (let number = 1; ; number += 1) {
    const folder = join(dirname(configuration), `first-restore${number === 1 ? '' : `-${number}`}`);
    if (existsSync(folder)) continue;
    mkdirSync(folder, { mode: 0o700 });
    return join(folder, asset.type === 'sqlite' ? `${asset.name}.db` : asset.name);
  }
}

function failureOf(words: string[], error: ErrorContract | undefined, otherwise: string): HoldfastError {
  const attempted = `\`holdfast ${words.join(' ')}\` failed`;
  return new HoldfastError({
    code: isFailureCode(error?.code) ? error.code : 'service.failed',
    message: error ? `${attempted}: ${error.message}` : attempted,
    cause: error?.cause ?? otherwise,
    hint: `${error?.hint ?? 'look at what it said above'}; the configuration is written, so go on from there`,
  });
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
