import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bareSide, type BareSide } from './bare-side.ts';
import { countedRestic } from './counted-restic.ts';
import { holdfastSide, type HoldfastSide, type Interrupted } from './holdfast-side.ts';
import { report, type Measured, type Round } from './report.ts';
import { buildTree, warm, type Tree } from './tree.ts';

// `npm run bench`: one tree, backed up and restored by bare restic and through Holdfast in turn, in one run.
// docs/performance.md says what the figures mean.

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    files: { type: 'string', default: '12000' },
    /** Where the tree and the repositories go; removed afterwards. */
    folder: { type: 'string', default: tmpdir() },
    json: { type: 'boolean', default: false },
    /** Writes the worker's CPU profile there, and leaves the interruption out. */
    profile: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const folder = await mkdtemp(join(values.folder, 'holdfast-bench-'));
const restic = await countedRestic(join(folder, 'tool'));
const sides: HoldfastSide[] = [];
try {
  say(`making ${values.files} files`);
  const tree = await buildTree(join(folder, 'tree'), Number(values.files));
  await warm(tree);
  const measured = await measure(tree);
  if (values.json) process.stdout.write(`${JSON.stringify(measured, null, 2)}\n`);
  else process.stdout.write(`${await report(measured)}\n`);
} finally {
  for (const side of sides) await side.stop();
  await rm(folder, { recursive: true, force: true });
}

async function measure(tree: Tree): Promise<Measured> {
  const load = loadavg()[0] ?? 0;
  const numbers = Array.from({ length: rounds }, (_, index) => index + 1);
  const policies = [
    ...numbers.flatMap((number) => [
      { name: `stored-${number}`, proof: 'stored' as const },
      { name: `proven-${number}`, proof: 'proven' as const },
    ]),
    { name: 'interrupted', proof: 'stored' as const },
  ];
  const profile = values.profile === undefined ? null : resolve(values.profile);
  if (profile) await mkdir(profile, { recursive: true });
  say('starting Holdfast');
  const holdfast = await holdfastSide(join(folder, 'holdfast'), restic, tree, policies, profile);
  sides.push(holdfast);
  const bare = bareSide(join(folder, 'bare'), restic, tree);

  const measuredRounds: Round[] = [];
  for (const number of numbers) {
    say(`round ${number} of ${rounds}`);
    measuredRounds.push(await round(number, bare, holdfast));
  }
  const commandLine = await holdfast.commandLine();
  const memory = await holdfast.memory();
  const minimum = measuredRounds[0]?.repositoryBytes ?? 0;
  let interrupted: { bareBytes: number; holdfast: Interrupted } | null = null;
  if (!values.profile) {
    say('killing both half-way');
    const bareBytes = await bare.interrupted('interrupted', minimum);
    interrupted = { bareBytes, holdfast: await holdfast.interrupted('interrupted', minimum) };
  }
  return {
    machine: { cores: availableParallelism(), load: [load, loadavg()[0] ?? 0], node: process.version },
    restic: restic.version,
    tree: { files: tree.files, bytes: tree.bytes },
    rounds: measuredRounds,
    commandLine,
    memory,
    minimum,
    interrupted,
  };
}

/** Step by step in turn, whoever comes first changing: what the machine does meanwhile meets all alike. */
async function round(number: number, bare: BareSide, holdfast: HoldfastSide): Promise<Round> {
  const [own, stored, proven] = [`round-${number}`, `stored-${number}`, `proven-${number}`];
  const inTurn = async <A, B, C>(a: () => Promise<A>, b: () => Promise<B>, c: () => Promise<C>) => {
    const done: { a?: A; b?: B; c?: C } = {};
    const turns = [
      async () => (done.a = await a()),
      async () => (done.b = await b()),
      async () => (done.c = await c()),
    ];
    for (const turn of number % 2 === 0 ? turns.reverse() : turns) await turn();
    return { bare: done.a as A, stored: done.b as B, proven: done.c as C };
  };
  const first = await inTurn(
    () => bare.first(own),
    () => holdfast.first(stored),
    () => holdfast.first(proven),
  );
  const repositoryBytes = await bare.repositoryBytes(own);
  const unchanged = await inTurn(
    () => bare.unchanged(own),
    () => holdfast.unchanged(stored),
    () => holdfast.unchanged(proven),
  );
  const restore = await inTurn(
    () => bare.restore(own),
    () => holdfast.restore(stored),
    () => holdfast.restore(proven),
  );
  return { first, unchanged, restore, repositoryBytes };
}

function say(words: string): void {
  process.stderr.write(`[${new Date().toISOString().slice(11, 19)}] ${words}\n`);
}
