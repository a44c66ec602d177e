import type { Command } from 'commander';
import type { Job } from '../domain/job.ts';
import { examples, group, moreLine, paged } from './command.ts';
import type { List, PagedOptions } from './command.ts';
import { historyCommand } from './histories.ts';
import { does } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { segment } from './service.ts';
import type { Service } from './service.ts';

interface ListOptions extends PagedOptions {
  policy?: string;
  asset?: string;
  type?: string;
  status?: string;
}

export function jobsCommands(program: Command): void {
  const jobs = group(program, 'jobs', 'what ran, and what is running');

  paged(jobs.command('list').description('jobs, newest first'))
    .option('--policy <name>', 'only of this policy')
    .option('--asset <name>', 'only with this asset')
    .option('--type <type>', 'only backup, verify or restore')
    .option(
      '--status <status>',
      'only running, waiting, open (either of them), success, warning, failed or cancelled',
    )
    .addHelpText('after', examples('jobs list', 'jobs list --status failed --limit 5'))
    .action(
      does(async (call, options: ListOptions) => {
        const { limit, cursor, policy, asset, type, status } = options;
        const service = await call.service();
        const list = await service.get<List<Job>>('/jobs', { limit, cursor, policy, asset, type, status });
        return { data: list, text: () => listText(list) };
      }),
    );

  jobs
    .command('show <id>')
    .description('one job and how each asset fared')
    .addHelpText('after', examples('jobs show 7f3a'))
    .action(
      does(async (call, id: string) => {
        const service = await call.service();
        const job = await service.get<Job>(`/jobs/${segment(id)}`);
        return { data: job, text: async () => (await import('./job-text.ts')).jobText(job) };
      }),
    );

  jobs
    .command('logs <id>')
    .description("a job's log, oldest line first (with --json newest first, like every list)")
    .option('--follow', 'go on until the job has ended, and exit as it did')
    .addHelpText('after', examples('jobs logs 7f3a', 'jobs logs 7f3a --follow'))
    .action(
      does(async (call, id: string, options: { follow?: boolean }) => {
        const service = await call.service();
        return options.follow ? followed(service, id) : logs(service, id);
      }),
    );

  jobs
    .command('cancel <id>')
    .description('stop a running job; what it stored stays, and no lock is left')
    .addHelpText('after', examples('jobs cancel 7f3a'))
    .action(
      does(async (call, id: string) => {
        const service = await call.service();
        const job = await service.post<Job>(`/jobs/${segment(id)}/cancel`);
        return { data: job, text: () => `job ${job.id} has been asked to stop; it is ${job.status}` };
      }),
    );

  historyCommand(jobs);
}

async function listText(list: List<Job>): Promise<string> {
  if (list.items.length === 0) return 'no jobs yet; `holdfast backup run <policy>` starts one';
  const [{ table }, { statusCell }, { when }] = await Promise.all([
    import('./table.ts'),
    import('./colours.ts'),
    import('./when.ts'),
  ]);
  const rows = list.items.map((job) => [
    job.id,
    job.type,
    job.policy ?? '-',
    statusCell(job.status),
    when(job.startedAt),
    job.assets.map(({ asset }) => asset).join(', '),
  ]);
  return (await table(['ID', 'TYPE', 'POLICY', 'STATUS', 'STARTED', 'ASSETS'], rows)) + moreLine(list);
}

async function logs(service: Service, id: string): Promise<Outcome> {
  const [{ newEvents }, { eventLine }] = await Promise.all([import('./wait.ts'), import('./view.ts')]);
  const events = await newEvents(service, id, 0);
  return {
    data: { items: events.toReversed(), next: null },
    text: () => events.map(eventLine).join('\n'),
  };
}

async function followed(service: Service, id: string): Promise<Outcome> {
  const [{ waitForJob, interrupted }, { viewFor }, { outcomeOf }] = await Promise.all([
    import('./wait.ts'),
    import('./view.ts'),
    import('./job-run.ts'),
  ]);
  const job = await service.get<Job>(`/jobs/${segment(id)}`);
  const lines = viewFor({ isTTY: false, write: (text) => process.stderr.write(text) });
  const waited = await waitForJob(service, job, lines);
  if (waited.kind === 'done') return outcomeOf(service, waited.result);
  const follow = `holdfast jobs logs ${job.id} --follow`;
  const error = interrupted(`job ${job.id}`, follow, `holdfast jobs cancel ${job.id}`);
  return { data: waited.last, error: error.toContract() };
}
