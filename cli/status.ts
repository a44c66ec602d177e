import type { Command } from 'commander';
import type { AssetHealth } from '../domain/objectives.ts';
import { examples } from './command.ts';
import { does } from './outcome.ts';
import type { Outcome } from './outcome.ts';

interface Report {
  assets: AssetHealth[];
  sites: { name: string; health: string; reason: string }[];
  repositories: { name: string; health: string; reason: string }[];
  channels: { name: string; health: string; reason: string }[];
  incidents: { open: number; critical: number };
}

export function statusCommand(program: Command): void {
  program
    .command('status')
    .description('how each asset stands against its objectives, why, and what to do')
    .option('--check', 'exit 21 when an objective is breached or the newest recovery point is lost')
    .addHelpText('after', examples('status', 'status --check --json'))
    .action(
      does(async (call, options: { check?: boolean }) => {
        const service = await call.service();
        const report = await service.get<Report>('/status');
        const text = async () => (await import('./status-text.ts')).statusText(report);
        return { data: report, text, ...(options.check ? await check(report) : {}) };
      }),
    );
}

/** 21 is an answer, not a failure of the command; still the reader is told which assets it is about. */
async function check(report: Report): Promise<Pick<Outcome, 'exitCode' | 'error'>> {
  const { isBreached } = await import('../domain/objectives.ts');
  const breached = report.assets.filter(isBreached);
  const [first] = breached;
  if (!first) return {};
  const names = breached.map(({ asset }) => asset).join(', ');
  return {
    exitCode: 21,
    error: {
      code: 'objective.breached',
      message: `an objective is breached: ${names}`,
      cause: breached.map(({ asset, reason }) => `${asset}: ${reason}`).join('\n'),
      hint: first.next,
    },
  };
}
