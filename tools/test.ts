import { execa } from 'execa';

// `npm test`: the checks, then every test; `npm test -- --grep …` runs only the tests that match. Set-up has
// been done by tools/run.mjs. The last line is mocha's: `N passed, N failed, N skipped`.

const args = process.argv.slice(2);
if (args.length === 0) await run('npm', ['run', '--silent', 'check']);
await run('npx', ['--no-install', 'mocha', ...args, 'test/**/*.test.ts']);

async function run(file: string, words: string[]): Promise<void> {
  const { exitCode } = await execa(file, words, { stdio: 'inherit', reject: false });
  if (exitCode !== 0) process.exit(exitCode ?? 1);
}
