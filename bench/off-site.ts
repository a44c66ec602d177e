import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { table } from '../cli/table.ts';
import type { DrillPhase } from '../domain/evidence/record.ts';
import type { Job } from '../domain/job.ts';
import { resolveTool } from '../tools/resolve.ts';
import { timed } from './bare-side.ts';
import { folderBytes } from './folder-bytes.ts';
import { fromNothing } from './from-nothing.ts';
import { findProcess } from './processes.ts';
import { benchStack, endedJob, type BenchStack } from './stack.ts';
import { buildTree, warm } from './tree.ts';

// `npm run bench:offsite`: a copy against bare `restic copy`, also killed half-way, a drill against a bare
// restore of the same point, and the way back from an empty machine, all in one run. docs/performance.md says what the figures mean.

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '2' },
    files: { type: 'string', default: '12000' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const rounds = Array.from({ length: Number(values.rounds) }, (_, index) => index + 1);
const folder = await mkdtemp(join(values.folder, 'holdfast-bench-'));
const restic = await resolveTool('restic', { install: false });
let stack: BenchStack | null = null;
try {
  say(`making ${values.files} files`);
  const tree = await buildTree(join(folder, 'tree'), Number(values.files));
  await warm(tree);
  const load = loadavg()[0] ?? 0;
  say('starting Holdfast, and backing up');
  stack = await benchStack(join(folder, 'holdfast'), configurationOf(tree.path), {});
  await jobOf(stack, '/backups', { policy: 'near', assets: [] });

  const copies: Ratio[] = [];
  const drills: (Ratio & { phases: Record<string, number> })[] = [];
  for (const round of rounds) {
    say(`round ${round} of ${rounds.length}`);
    const turns = [() => bareCopy(`bare-${round}`), () => copy(`off-${round}`)];
    const [first, second] = round % 2 === 0 ? turns.reverse() : turns;
    const times = [await first!(), await second!()];
    const [bare = NaN, ours = NaN] = round % 2 === 0 ? times.reverse() : times;
    copies.push({ bare, ours });
    drills.push(await drillAndRestore(`off-${round}`));
  }
  const minimum = await folderBytes(at('off-1'));
  say('killing both half-way');
  const killed = { bare: await bareKilled(minimum), ours: await killedCopy(minimum) };
  say('losing the whole service, and coming back from one copy');
  const back = await fromNothing(stack, 'off-1', 'tree', join(folder, 'back'));
  console.log(
    [
      `${tree.files} files; restic ${restic.version}, Node.js ${process.version}, ${availableParallelism()} cores, ` +
        `load ${load.toFixed(1)} → ${(loadavg()[0] ?? 0).toFixed(1)}; every round of ${rounds.length}`,
      await table(
        ['SECONDS', 'RESTIC', 'HOLDFAST', 'RATIO'],
        [row('copy', copies), row('drill, without its proof', drills)],
      ),
      `the proof of a drill and its room: ${JSON.stringify(drills.map(({ phases }) => phases))}`,
      `killed half-way, of the minimum: restic ${(killed.bare / minimum).toFixed(2)}, Holdfast ${(killed.ours / minimum).toFixed(2)}`,
      `from nothing, in seconds: ${Object.entries<number>({ ...back })
        .map(([what, at]) => `${what} ${at.toFixed(1)}`)
        .join(', ')}`,
    ].join('\n'),
  );
} finally {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Seconds. */
interface Ratio {
  bare: number;
  ours: number;
}

function configurationOf(path: string) {
  const copies = [...rounds.map((round) => `off-${round}`), 'off-killed'];
  return {
    // It would share the disk with what is measured.
    controlPlane: { repositories: [] },
    repositories: ['near', ...copies].map((name) => ({
      ...{ name, type: 'restic', url: `./${name}`, password: 'file:./bench.key' },
    })),
    assets: [{ name: 'tree', type: 'directory', path }],
    policies: [
      {
        ...{ name: 'near', assets: ['tree'], every: '7d', repository: 'near', proof: 'proven' },
        copies: copies.map((repository) => ({ repository, every: '7d' })),
      },
    ],
    drills: rounds.map((round) => ({ name: `off-${round}`, assets: ['tree'], from: `off-${round}` })),
  };
}

function at(name: string): string {
  return join(folder, 'holdfast', name);
}

async function jobOf({ service }: BenchStack, path: string, request: object): Promise<Job> {
  const { id } = await service.post<Job>(path, request);
  return endedJob(service, id);
}

function copy(repository: string): Promise<number> {
  return timed(() => jobOf(stack!, '/syncs', { policy: 'near', repository }));
}

async function bareCopy(name: string): Promise<number> {
  return timed(async () => {
    await bare(name, 'init', ...fromNear(), '--copy-chunker-params');
    await bare(name, 'copy', ...fromNear());
  });
}

/** The room is made and taken down, and every byte is read again: that is the drill's own, and shown apart. */
async function drillAndRestore(repository: string): Promise<Ratio & { phases: Record<string, number> }> {
  const { service } = stack!;
  const { id } = await jobOf(stack!, '/drills', { drill: repository });
  const { phases: held } = await service.get<{ phases: DrillPhase[] }>(`/drills/${id}`);
  const target = join(folder, 'restored');
  const seconds = await timed(() => bareAt(at(repository), 'restore', `--target=${target}`, '--', 'latest'));
  await rm(target, { recursive: true });
  const phases: Record<string, number> = {};
  for (const { name, seconds: took } of held) phases[name] = Number(((phases[name] ?? 0) + took).toFixed(2));
  return { bare: seconds, ours: phases['restore'] ?? NaN, phases };
}

async function bareKilled(minimum: number): Promise<number> {
  const name = 'bare-killed';
  await bare(name, 'init', ...fromNear(), '--copy-chunker-params');
  const copying = bare(name, 'copy', ...fromNear());
  await half(join(folder, name), minimum);
  copying.kill('SIGKILL');
  await copying.catch(() => undefined);
  await bare(name, 'unlock');
  await bare(name, 'copy', ...fromNear());
  return folderBytes(join(folder, name));
}

async function killedCopy(minimum: number): Promise<number> {
  const { service, dataDir } = stack!;
  const { id } = await service.post<Job>('/syncs', { policy: 'near', repository: 'off-killed' });
  await half(at('off-killed'), minimum);
  process.kill(await findProcess('workers/main.ts', dataDir), 'SIGKILL');
  await endedJob(service, id);
  return folderBytes(at('off-killed'));
}

async function half(path: string, minimum: number): Promise<void> {
  while ((await folderBytes(path)) < minimum / 2) await pause(10);
}

function fromNear(): string[] {
  return [`--from-repo=${at('near')}`, `--from-password-file=${join(folder, 'holdfast', 'bench.key')}`];
}

function bare(name: string, ...args: string[]) {
  return bareAt(join(folder, name), ...args);
}

function bareAt(repository: string, ...args: string[]) {
  return execa(restic.path, args, {
    env: {
      RESTIC_REPOSITORY: repository,
      RESTIC_PASSWORD: 'bench',
      RESTIC_CACHE_DIR: join(folder, 'cache'),
    },
    ...{ stdout: 'ignore', stdin: 'ignore' },
  });
}

function row(what: string, ratios: readonly Ratio[]): string[] {
  const each = (pick: (ratio: Ratio) => number) => ratios.map((one) => pick(one).toFixed(2)).join(' / ');
  return [what, each((one) => one.bare), each((one) => one.ours), each((one) => one.ours / one.bare)];
}

function say(words: string): void {
  process.stderr.write(`[${new Date().toISOString().slice(11, 19)}] ${words}\n`);
}
