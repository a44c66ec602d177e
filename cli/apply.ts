import type { Command } from 'commander';
import { examples } from './command.ts';
import { does } from './outcome.ts';

/** Names. */
interface Difference {
  added: string[];
  changed: string[];
  removed: string[];
}

interface Applied {
  changed: boolean;
  dryRun: boolean;
  assets: Difference;
  policies: Difference;
  repositories: Difference;
  schedules: Difference;
  renamed: Record<'assets' | 'policies', { from: string; to: string }[]>;
  warnings: string[];
}

export function applyCommand(program: Command): void {
  program
    .command('apply')
    .description('bring policies and schedules in line with the configuration; starts no backup')
    .option('--dry-run', 'only say what would change')
    .addHelpText('after', examples('apply --dry-run', 'apply'))
    .action(
      does(async (call, options: { dryRun?: boolean }) => {
        const [{ loadConfiguration }, { readFile }] = await Promise.all([
          import('./configuration-file.ts'),
          import('node:fs/promises'),
        ]);
        // Checked here first, so that a mistake is told with the line it is on even when nothing runs.
        const { path } = await loadConfiguration({ option: call.config });
        const source = await readFile(path, 'utf8');
        const service = await call.service();
        const dryRun = options.dryRun === true;
        const applied = await service.post<Applied>('/configuration', { source, path, dryRun });
        for (const warning of applied.warnings) call.say(`warning: ${warning}`);
        return { data: applied, text: () => changesText(applied) };
      }),
    );
}

function changesText(applied: Applied): string {
  const { assets, policies, repositories, schedules, renamed, dryRun } = applied;
  const lines = [
    ...renamed.assets.map(({ from, to }) => `  > asset ${from} is ${to} now, with its history`),
    ...renamed.policies.map(({ from, to }) => `  > policy ${from} is ${to} now, with its history`),
    ...changesOf('repository', repositories),
    ...changesOf('asset', assets),
    ...changesOf('policy', policies),
    ...changesOf('schedule', schedules),
  ];
  if (lines.length === 0) return 'nothing to change';
  return [dryRun ? 'would change (nothing was):' : 'changed:', ...lines].join('\n');
}

function changesOf(noun: string, { added, changed, removed }: Difference): string[] {
  return [
    ...added.map((name) => `  + ${noun} ${name}`),
    ...changed.map((name) => `  ~ ${noun} ${name}`),
    ...removed.map((name) => `  - ${noun} ${name}`),
  ];
}
