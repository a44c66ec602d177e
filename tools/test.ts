import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

// `npm test`: the checks, then every test; `npm test -- --grep …` runs only the tests that match. Set-up has
// been done by tools/run.mjs. The last line is `N passed, N failed, N skipped`.

const ALL = 'test/**/*.test.ts';
/** These mostly wait for a whole stack, the others for a tool: side by side they take little more than half the time. */
const WITH_A_STACK = 'test/{end-to-end,faults,schedules,simulation,tools,workers}/**/*.test.ts';

const args = process.argv.slice(2);
if (args.length > 0) process.exit(await run('npx', ['--no-install', 'mocha', ...args, ALL]));

const checked = await run('npm', ['run', '--silent', 'check']);
if (checked !== 0) process.exit(checked);

const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
try {
  const lanes = [mocha('first', [WITH_A_STACK]), mocha('second', ['--ignore', WITH_A_STACK, ALL])];
  // The first is seen as it runs, the second when both have ended.
  lanes[0]?.stdout.pipe(process.stdout);
  const [first, second] = await Promise.all(lanes);
  console.log(second?.stdout);
  const counts = [await countsOf('first'), await countsOf('second')];
  const sum = (key: keyof Counts) => counts.reduce((total, one) => total + one[key], 0);
  console.log(`${sum('passes')} passed, ${sum('failures')} failed, ${sum('pending')} skipped`);
  process.exitCode = first?.exitCode || second?.exitCode || 0;
} finally {
  await rm(folder, { recursive: true });
}

interface Counts {
  passes: number;
  failures: number;
  pending: number;
}

function mocha(lane: string, words: string[]) {
  return execa('npx', ['--no-install', 'mocha', ...words], {
    stderr: 'inherit',
    reject: false,
    env: { HOLDFAST_TEST_COUNTS: countsFile(lane) },
  });
}

/** Throws when the lane ended before it could count: then nobody knows what was not run. */
async function countsOf(lane: string): Promise<Counts> {
  return JSON.parse(await readFile(countsFile(lane), 'utf8')) as Counts;
}

function countsFile(lane: string): string {
  return join(folder, `${lane}.json`);
}

async function run(file: string, words: string[]): Promise<number> {
  const { exitCode } = await execa(file, words, { stdio: 'inherit', reject: false });
  return exitCode ?? 1;
}
