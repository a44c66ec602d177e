import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { execa } from 'execa';
import { resolveTool } from './resolve.ts';

// `npm test`: the checks, beside every test; `npm test -- --grep …` runs only the tests that match. Set-up has
// been done by tools/run.mjs. What failed is said once more at the end; the last line is
// `N passed, N failed, N skipped`.

/** Most tests wait for a tool or a stack: more than there are cores go side by side. */
const LANES = 3;
/** In these every file is a group of its own: a whole stack, or minutes of waiting. */
const WITH_A_STACK = /^test\/(end-to-end|faults|schedules|simulation|workers\/recover)\//;
/** Begun first, lest one lane is at them alone in the end. */
const LONGEST = /^test\/(activities\/repositories|end-to-end\/recover|simulation\/quarter)/;

/** Of Java and Go programs that live for seconds: compile and collect less, in more memory. */
const SHORT_LIVED = { JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC', GOGC: '400' };

const args = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
// Whoever a test runs a program as finds it.
await chmod(folder, 0o755);
try {
  process.env['PATH'] = [await withCheapKeys(), process.env['PATH']].join(delimiter);
  Object.assign(process.env, SHORT_LIVED);
  process.exitCode =
    args.length > 0
      ? await run('npx', ['--no-install', 'mocha', ...args, 'test/**/*.test.ts'])
      : await everything();
} finally {
  await rm(folder, { recursive: true });
}

async function everything(): Promise<number> {
  const groups = await groupsOfFiles();
  const waiting = groups.map((files, index) => ({ files, index }));
  const counts: Counts[] = [];
  const lane = async () => {
    for (let group = waiting.shift(); group; group = waiting.shift()) {
      counts.push(await runGroup(group.files, join(folder, `${group.index}.json`)));
    }
  };
  let checked = 1;
  const checks = async () => {
    checked = await run('npm', ['run', '--silent', 'check']);
    await lane();
  };
  await Promise.all([checks(), ...Array.from({ length: LANES - 1 }, lane)]);
  const failed = counts.flatMap(({ failed }) => failed);
  if (failed.length > 0) console.log(['failed:', ...failed].join('\n\n'), '\n');
  const sum = (key: 'passes' | 'failures' | 'pending') => counts.reduce((total, one) => total + one[key], 0);
  if (checked !== 0) console.log(`the checks failed: npm run check ended with ${checked}\n`);
  console.log(`${sum('passes')} passed, ${sum('failures')} failed, ${sum('pending')} skipped`);
  return counts.every(({ exitCode }) => exitCode === 0) ? checked : 1;
}

/** A folder for the PATH with restic as it is, but that the keys of new repositories cost next to nothing. */
async function withCheapKeys(): Promise<string> {
  const { path } = await resolveTool('restic');
  const programs = join(folder, 'bin');
  await mkdir(programs);
  const program = join(programs, 'restic');
  await writeFile(
    program,
    `#!/bin/sh
case " $* " in *' init '*) ;; *) exec '${path}' "$@" ;; esac
'${path}' "$@" && '${process.execPath}' '${resolve('test/fixtures/cheap-key.mjs')}'
`,
  );
  await chmod(program, 0o755);
  return programs;
}

interface Counts {
  passes: number;
  failures: number;
  pending: number;
  /** Title and error of each. */
  failed: string[];
  exitCode: number;
}

/** Those that wait longest first, the others by folder in between, so that there is always something to compute. */
async function groupsOfFiles(): Promise<string[][]> {
  const names = await readdir('test', { recursive: true });
  const files = names.map((name) => `test/${name}`).filter((file) => file.endsWith('.test.ts'));
  const short = files.filter((file) => !file.startsWith('test/soak/')).sort();
  const stacks = short
    .filter((file) => WITH_A_STACK.test(file))
    .sort(longestFirst)
    .map((file) => [file]);
  const folders = new Map<string, string[]>();
  for (const file of short.filter((one) => !WITH_A_STACK.test(one))) {
    const [, room = '', noun = ''] = file.split('/');
    const key = room === 'activities' && !noun.endsWith('.ts') ? `${room}/${noun}` : room;
    folders.set(key, [...(folders.get(key) ?? []), file]);
  }
  const others = [...folders.values()]
    .sort((a, b) => b.length - a.length)
    .sort(([a = ''], [b = '']) => longestFirst(a, b));
  const longest = Math.max(stacks.length, others.length);
  return Array.from({ length: longest }, (_, index) => [others[index], stacks[index]])
    .flat()
    .filter((group) => group !== undefined);
}

function longestFirst(a: string, b: string): number {
  return Number(LONGEST.test(b)) - Number(LONGEST.test(a));
}

/** Its output is shown when it has ended, whole. */
async function runGroup(files: string[], countsFile: string): Promise<Counts> {
  const began = Date.now();
  const { exitCode = 1, all } = await execa(process.execPath, ['node_modules/mocha/bin/mocha.js', ...files], {
    all: true,
    reject: false,
    env: { HOLDFAST_TEST_COUNTS: countsFile },
  });
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log(
    `${all}\n${files[0]}${files.length > 1 ? ` and ${files.length - 1} more` : ''}: ${seconds} s\n`,
  );
  const counted = await readFile(countsFile, 'utf8').catch(() => null);
  if (counted !== null) return { ...(JSON.parse(counted) as Omit<Counts, 'exitCode'>), exitCode };
  const said = `${files.join(' ')}\nended with ${exitCode} before it could count: nobody knows what was not run`;
  return { passes: 0, failures: 1, pending: 0, failed: [said], exitCode: 1 };
}

async function run(file: string, words: string[]): Promise<number> {
  const { exitCode } = await execa(file, words, { stdio: 'inherit', reject: false });
  return exitCode ?? 1;
}
