import type { Command } from 'commander';
import { HoldfastError } from '../domain/errors.ts';
import { examples } from './command.ts';
import { does } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import type { StatusReport } from './status-text.ts';

export function statusCommand(program: Command): void {
  program
    .command('status')
    .description('how each asset stands against its objectives, why, and what to do')
    .argument('[asset]', 'only this one, with every figure')
    .option('--wide', 'every figure: success rates, error budget, growth, durations')
    .option('--check', 'exit 21 when an objective is breached or the newest recovery point is lost')
    .addHelpText('after', examples('status', 'status uploads', 'status --check --json'))
    .action(
      does(async (call, asset: string | undefined, options: { check?: boolean; wide?: boolean }) => {
        const service = await call.service();
        const whole = await service.get<StatusReport>('/status');
        const report = asset === undefined ? whole : only(whole, asset);
        const wide = options.wide ?? asset !== undefined;
        const text = async () => (await import('./status-text.ts')).statusText(report, wide);
        return { data: report, text, ...(options.check ? await check(report) : {}) };
      }),
    );
}

function only(report: StatusReport, asset: string): StatusReport {
  const assets = report.assets.filter((item) => item.asset === asset);
  if (assets.length > 0) return { ...report, assets };
  throw new HoldfastError({
    code: 'notFound',
    message: `there is no asset ${asset} to show the status of`,
    cause: `the applied configuration has ${report.assets.map((item) => item.asset).join(', ') || 'none'}`,
    hint: 'check the name, or add it to the configuration and run `holdfast apply`',
  });
}

/** 21 is an answer, not a failure of the command; still the reader is told which assets it is about. */
async function check(report: StatusReport): Promise<Pick<Outcome, 'exitCode' | 'error'>> {
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
