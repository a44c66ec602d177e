import { table } from '../cli/table.ts';
import { formatBytes } from '../domain/bytes.ts';
import type { Cost, Interrupted } from './holdfast-side.ts';

/** Seconds, of one step on each side. */
interface Sides<Bare, Ours> {
  bare: Bare;
  stored: Ours;
  proven: Ours;
}

export interface Round {
  first: Sides<number, number>;
  unchanged: Sides<number, { seconds: number } & Cost>;
  restore: Sides<number, { prepare: number; commit: number }>;
  /** Of bare restic, after the first backup. */
  repositoryBytes: number;
}

/** What `--json` prints: every single value, seconds and bytes. */
export interface Measured {
  /** Load at the beginning and at the end: above the number of cores the times are those of a busy machine. */
  machine: { cores: number; load: [number, number]; node: string };
  restic: string;
  tree: { files: number; bytes: number };
  rounds: Round[];
  commandLine: number;
  memory: Record<'worker' | 'temporal' | 'api', number>;
  /** Of a repository with the tree in it once. */
  minimum: number;
  interrupted: { bareBytes: number; holdfast: Interrupted } | null;
}

export async function report(measured: Measured): Promise<string> {
  const { machine, tree, rounds } = measured;
  const restored = ({ prepare, commit }: { prepare: number; commit: number }) => prepare + commit;
  const rows = [
    cells(
      'first backup',
      rounds.map(({ first }) => first),
    ),
    cells(
      'unchanged backup',
      rounds.map(({ unchanged: { bare, stored, proven } }) => ({
        bare,
        stored: stored.seconds,
        proven: proven.seconds,
      })),
    ),
    cells(
      'restore',
      rounds.map(({ restore: { bare, stored, proven } }) => ({
        bare,
        stored: restored(stored),
        proven: restored(proven),
      })),
    ),
  ];
  const head = ['SECONDS', 'RESTIC', 'HOLDFAST', 'MORE', 'RATIO', 'WITH PROOF', 'RATIO'];
  return [
    `${tree.files} files, ${formatBytes(tree.bytes)}; restic ${measured.restic}, Node.js ${machine.node}, ` +
      `${machine.cores} cores, load ${machine.load.map((load) => load.toFixed(1)).join(' → ')}; ` +
      (rounds.length > 1 ? `min / median / max of ${rounds.length} rounds` : 'one round'),
    '',
    await table(head, rows),
    '',
    ...costLines(measured),
    ...interruptedLines(measured),
  ].join('\n');
}

/** Ratios within a round: its steps met the same machine. */
function cells(what: string, rounds: Sides<number, number>[]): string[] {
  return [
    what,
    spread(rounds.map(({ bare }) => bare)),
    spread(rounds.map(({ stored }) => stored)),
    spread(rounds.map(({ bare, stored }) => stored - bare)),
    spread(rounds.map(({ bare, stored }) => stored / bare)),
    spread(rounds.map(({ proven }) => proven)),
    spread(rounds.map(({ bare, proven }) => proven / bare)),
  ];
}

function costLines({ rounds, memory, commandLine }: Measured): string[] {
  const stored = rounds.map(({ unchanged }) => unchanged.stored);
  const proven = rounds.map(({ unchanged }) => unchanged.proven);
  const cpu = (costs: Cost[], pick: (cost: Cost) => number) => spread(costs.map(pick));
  const calls = (costs: Cost[]) => {
    const verbs = costs[0]?.calls ?? [];
    return `${verbs.length} (${verbs.join(', ')})`;
  };
  return [
    'an unchanged backup of one asset costs, besides restic itself:',
    `  CPU of the worker            ${cpu(stored, ({ workerCpu }) => workerCpu)} s; proven ${cpu(proven, ({ workerCpu }) => workerCpu)} s`,
    `  CPU of the Temporal server   ${cpu(stored, ({ temporalCpu }) => temporalCpu)} s; proven ${cpu(proven, ({ temporalCpu }) => temporalCpu)} s`,
    `  calls of restic              ${calls(stored)}; proven ${calls(proven)}`,
    `peak memory: worker ${formatBytes(memory.worker)}, Temporal server ${formatBytes(memory.temporal)}, together ` +
      `${formatBytes(memory.worker + memory.temporal)}; API ${formatBytes(memory.api)}`,
    `\`holdfast status\` on the command line: ${commandLine.toFixed(2)} s`,
  ];
}

function interruptedLines({ interrupted, minimum }: Measured): string[] {
  if (!interrupted) return [];
  const ratio = (bytes: number) => `${(bytes / minimum).toFixed(2)} × the minimum of ${formatBytes(minimum)}`;
  const { bareBytes, holdfast } = interrupted;
  return [
    '',
    'killed with -9 half-way through the first backup; what the repository takes in the end:',
    `  restic, run again            ${ratio(bareBytes)}`,
    `  Holdfast (the worker killed) ${ratio(holdfast.repositoryBytes)}; it went on ${holdfast.goesOnAfter.toFixed(1)} s after ` +
      `the kill (${holdfast.attempts.join(', ')})`,
  ];
}

function spread(values: number[]): string {
  const sorted = [...values].sort((one, other) => one - other);
  if (sorted.length === 1) return (sorted[0] ?? NaN).toFixed(2);
  return [sorted[0], median(values), sorted.at(-1)].map((value) => (value ?? NaN).toFixed(2)).join(' / ');
}

function median(values: number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}
