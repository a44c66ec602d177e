import type { Command } from 'commander';
import type { ToolInspection } from '../tools/doctor.ts';
import { examples } from './command.ts';
import { does } from './outcome.ts';
import type { Outcome } from './outcome.ts';

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'every native tool: its version, where it was found, what needs it; needs no running service',
    )
    .addHelpText('after', examples('doctor', 'doctor --json'))
    .action(
      does(async (): Promise<Outcome> => {
        const { inspectTools, isSound } = await import('../tools/doctor.ts');
        const inspection = await inspectTools();
        const text = () => inspectionText(inspection);
        return { data: inspection, text, ...(isSound(inspection) ? {} : unsound(inspection)) };
      }),
    );
}

function unsound({ tools, checks }: ToolInspection): Pick<Outcome, 'error'> {
  const bad = [
    ...tools.filter(({ ok, neededFor }) => !ok && neededFor === 'run'),
    ...checks.filter(({ ok }) => !ok),
  ];
  return {
    error: {
      code: 'tool.missing',
      message: `this machine lacks ${bad.map(({ name }) => name).join(', ')}`,
      cause: bad.map(({ name, hint }) => `${name}: ${hint}`).join('\n'),
      hint: '`npm run setup` gets what can be got',
    },
  };
}

async function inspectionText({ tools, checks }: ToolInspection): Promise<string> {
  const [{ table }, { statusCell }] = await Promise.all([import('./table.ts'), import('./colours.ts')]);
  const mark = (ok: boolean, otherwise: string) => statusCell(ok ? 'ok' : otherwise);
  const found = tools.map(({ name, version, origin, path, neededBy, neededFor, ok }) => [
    name,
    mark(ok, neededFor === 'run' ? 'failed' : 'warning'),
    version ?? '-',
    origin ?? '-',
    path ?? '-',
    neededBy.join(', '),
  ]);
  const checked = checks.map(({ name, ok, detail }) => [name, mark(ok, 'failed'), detail]);
  const hints = [...tools, ...checks].filter(({ ok }) => !ok).map(({ name, hint }) => `${name}: ${hint}`);
  return [
    await table(['TOOL', 'STATE', 'VERSION', 'ORIGIN', 'PATH', 'NEEDED BY'], found),
    '',
    await table(['CHECK', 'STATE', 'FOUND'], checked),
    ...(hints.length > 0 ? ['', ...hints] : []),
  ].join('\n');
}
