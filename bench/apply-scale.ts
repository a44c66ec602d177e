import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { table } from '../cli/table.ts';
import { formatBytes } from '../domain/bytes.ts';
import { makeStack, type Stack } from '../test/fixtures/stack.ts';
import { cpuSeconds, peakMemory } from './processes.ts';

// `npm run bench:apply`: how long the real command line takes to bring 1,000 policies in line, and what their
// Schedules cost while none of them is due. docs/performance.md says what the figures mean.

const { values } = parseArgs({
  options: {
    policies: { type: 'string', default: '1000' },
    /** How long to watch the idle stack. */
    idle: { type: 'string', default: '60' },
  },
});
const count = Number(values.policies);
const idleSeconds = Number(values.idle);

const stack = await makeStack();
try {
  process.stdout.write(`${await measured(stack)}\n`);
} finally {
  await stack.dispose();
}

async function measured(of: Stack): Promise<string> {
  await mkdir(join(of.folder, 'data'));
  await writeFile(join(of.folder, 'data', 'file'), 'something');
  await writeFile(join(of.folder, 'key'), 'key', { mode: 0o600 });
  await of.configure(configuration(1, '24h'));
  await of.up();
  const few = await idle(of);
  const rows: string[][] = [];
  const timed = async (what: string, ...words: string[]) => {
    const began = performance.now();
    const { exitCode, stdout } = await of.run(...words);
    if (exitCode !== 0) throw new Error(`${what}: ${stdout}`);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    rows.push([what, seconds]);
    process.stderr.write(`${what}: ${seconds} s\n`);
  };
  await of.configure(configuration(count, '24h'));
  await timed('validate', 'validate');
  await timed(`apply, ${count} policies, ${2 * count} Schedules`, 'apply');
  await timed('apply, unchanged', 'apply');
  await timed('apply --dry-run, unchanged', 'apply', '--dry-run');
  await of.configure(configuration(count, '12h'));
  await timed('apply, every cadence changed', 'apply');
  await timed('status', 'status');
  await timed('policy list', 'policy', 'list');
  const many = await idle(of);
  const costs = Object.keys(many).map((part) => [
    part,
    `${few[part]?.cpu.toFixed(2)} s`,
    `${many[part]?.cpu.toFixed(2)} s`,
    formatBytes(many[part]?.memory ?? 0),
  ]);
  return [
    `${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}, Node.js ${process.version}`,
    '',
    await table(['COMMAND', 'SECONDS'], rows),
    '',
    await table([`IDLE FOR ${idleSeconds} S`, 'CPU, 1 POLICY', `CPU, ${count}`, 'PEAK MEMORY'], costs),
  ].join('\n');
}

async function idle(of: Stack): Promise<Record<string, { cpu: number; memory: number }>> {
  // What was just applied is still being worked on.
  await pause(5_000);
  const pids = Object.entries(await of.pids()).filter(([part]) => part !== 'supervisor');
  const before = new Map(
    await Promise.all(pids.map(async ([part, pid]) => [part, await cpuSeconds(pid)] as const)),
  );
  await pause(idleSeconds * 1000);
  return Object.fromEntries(
    await Promise.all(
      pids.map(async ([part, pid]) => {
        const cpu = (await cpuSeconds(pid)) - (before.get(part) ?? 0);
        return [part, { cpu, memory: await peakMemory(pid) }] as const;
      }),
    ),
  );
}

function configuration(policies: number, every: string): object {
  const numbers = Array.from({ length: policies }, (_, index) => index + 1);
  return {
    version: 1,
    repositories: [{ name: 'local', type: 'restic', url: './repo', password: 'file:./key' }],
    assets: numbers.map((number) => ({ name: `asset-${number}`, type: 'directory', path: './data' })),
    policies: numbers.map((number) => ({
      name: `policy-${number}`,
      assets: [`asset-${number}`],
      every,
      jitter: '1h',
      repository: 'local',
      retention: { keepLast: 3, keepDaily: 30 },
      objectives: { rpo: '25h' },
    })),
  };
}
