import type { Command } from 'commander';
import { examples, group } from './command.ts';
import { does } from './outcome.ts';
import type { Call } from './outcome.ts';
import { printable } from './printable.ts';
import { segment } from './service.ts';

interface PolicyItem {
  policy: string;
  assets: string[];
  paused: { since: string; by: string; reason: string } | null;
  runs: { kind: string; schedule: string; nextRunAt: string | null }[];
}

export function policyCommands(program: Command): void {
  const policy = group(program, 'policy', 'what runs by itself, and when');

  policy
    .command('list')
    .description('every policy with the next run of each of its schedules')
    .addHelpText('after', examples('policy list'))
    .action(
      does(async (call) => {
        const service = await call.service();
        const list = await service.get<{ items: PolicyItem[]; next: null }>('/policies');
        return { data: list, text: () => listText(list.items) };
      }),
    );

  policy
    .command('pause <policy>')
    .description('stop what runs by itself for a policy; what runs now goes on')
    .requiredOption('--reason <text>', 'why; `status` shows it, and the audit chain keeps it')
    .addHelpText('after', examples('policy pause daily --reason "the array is being rebuilt"'))
    .action(does((call, name: string, options: { reason: string }) => change(call, name, 'pause', options)));

  policy
    .command('resume <policy>')
    .description('let a paused policy run by itself again, from its next due time on')
    .requiredOption('--reason <text>', 'why; the audit chain keeps it')
    .addHelpText('after', examples('policy resume daily --reason "the array is whole again"'))
    .action(does((call, name: string, options: { reason: string }) => change(call, name, 'resume', options)));
}

async function change(call: Call, name: string, verb: 'pause' | 'resume', { reason }: { reason: string }) {
  const service = await call.service();
  const item = await service.post<PolicyItem>(`/policies/${segment(name)}/${verb}`, { reason });
  return { data: item, text: () => listText([item]) };
}

async function listText(items: PolicyItem[]): Promise<string> {
  if (items.length === 0) return 'no policies yet: write them into the configuration, then `holdfast apply`';
  const [{ table }, { relative }] = await Promise.all([import('./table.ts'), import('./when.ts')]);
  const now = new Date();
  const rows = items.flatMap(({ policy, assets, runs, paused }) =>
    runs.map(({ kind, schedule, nextRunAt }, index) => [
      index === 0 ? policy : '',
      index === 0 ? assets.join(', ') : '',
      // A policy has one of each kind, but a sync for each copy that travels.
      kind === 'sync' ? `sync to ${schedule.split('/').at(-1)}` : kind,
      nextRunAt === null ? 'paused' : relative(nextRunAt, now),
      index === 0 && paused ? printable(`since ${paused.since} by ${paused.by}: ${paused.reason}`) : '',
    ]),
  );
  return table(['POLICY', 'ASSETS', 'RUNS', 'NEXT', 'PAUSED'], rows);
}
