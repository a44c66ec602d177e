import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const holdfast = fileURLToPath(new URL('../../cli/holdfast.mjs', import.meta.url));

/** Runs `holdfast` as a person would and returns what `--json` says; what it shows meanwhile goes through. */
export function commandLine(configuration: string, env: Record<string, string>) {
  return async function run<Answer>(...words: string[]): Promise<Answer> {
    console.error(`\n$ holdfast ${words.join(' ')}`);
    const { stdout, exitCode } = await execa(
      process.execPath,
      [holdfast, '--config', configuration, '--json', ...words],
      { env, stderr: 'inherit', reject: false },
    );
    const answer = JSON.parse(stdout || '{}') as Answer & {
      error?: { message: string; cause: string; hint: string };
    };
    if (exitCode === 0) return answer;
    const { message = 'it failed', cause = '', hint = '' } = answer.error ?? {};
    throw new Error(
      `holdfast ${words.join(' ')} ended with ${exitCode}: ${message}\n  cause: ${cause}\n  next:  ${hint}`,
    );
  };
}
