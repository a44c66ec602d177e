import type { Command } from 'commander';
import type { Job } from '../domain/job.ts';
import { examples, group } from './command.ts';
import type { ControlPlaneItem } from './control-plane-text.ts';
import { does, type Outcome } from './outcome.ts';
import { segment } from './service.ts';
import { together } from './together.ts';

type Items = { items: ControlPlaneItem[]; next: null };

interface BackupOptions {
  repository?: string;
  detach?: boolean;
}

export function controlPlaneCommands(program: Command): void {
  const words = 'the recovery points of Holdfast itself: catalogue, configuration, evidence';
  const controlPlane = group(program, 'control-plane', words);
  controlPlane
    .command('list')
    .description('where the control plane is stored, and how old that is')
    .addHelpText('after', examples('control-plane list', 'points list --kind system'))
    .action(
      does(async (call) => {
        const service = await call.service();
        const list = await service.get<Items>('/control-plane');
        const { controlPlaneText } = await import('./control-plane-text.ts');
        return { data: list, text: () => controlPlaneText(list.items) };
      }),
    );
  controlPlane
    .command('backup')
    .description('store it now; it is stored by itself when something has happened')
    .option('--repository <repository>', 'only there; else in each where it is stored')
    .option('--detach', 'return as soon as it has started')
    .addHelpText('after', examples('control-plane backup', 'control-plane backup --repository offsite'))
    .action(
      does(async (call, options: BackupOptions) => {
        const service = await call.service();
        const repositories = options.repository
          ? [options.repository]
          : (await service.get<Items>('/control-plane')).items
              .filter(({ configured }) => configured)
              .map(({ repository }) => repository);
        if (repositories.length === 0)
          return { data: { items: [], next: null }, text: () => 'it is to be stored nowhere' };
        const jobs: Job[] = [];
        for (const repository of repositories)
          jobs.push(await service.post<Job>('/control-plane/backups', { repository }));
        const { runToEnd } = await import('./job-run.ts');
        const outcomes: Outcome[] = [];
        for (const job of jobs) outcomes.push(await runToEnd(call, service, job, options.detach === true));
        return together(outcomes);
      }),
    );
  controlPlane
    .command('accept <repository>')
    .description('say that a repository that was rolled back is as it is: what it lost counts as gone')
    .requiredOption('--reason <text>', 'why; the audit chain keeps it')
    .addHelpText('after', examples('control-plane accept offsite --reason "restored from tape"'))
    .action(
      does(async (call, repository: string, { reason }: { reason: string }) => {
        const service = await call.service();
        const path = `/control-plane/rollbacks/${segment(repository)}/accept`;
        const accepted = await service.post<{ missing: string[] }>(path, { reason });
        const count = accepted.missing.length;
        const lost = count === 1 ? '1 recovery point counts' : `${count} recovery points count`;
        return { data: accepted, text: () => `${repository} is as it is: ${lost} as gone from it` };
      }),
    );
}
