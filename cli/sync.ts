import type { Command } from 'commander';
import type { CopyState } from '../domain/copies/lag.ts';
import type { Job } from '../domain/job.ts';
import { examples, group } from './command.ts';
import { copiesText } from './copies-text.ts';
import { HoldfastError } from '../domain/errors.ts';
import { does, type Outcome } from './outcome.ts';
import { segment } from './service.ts';
import { together } from './together.ts';

interface RunOptions {
  to?: string;
  idempotencyKey?: string;
  detach?: boolean;
}

type Copies = { items: CopyState[]; next: null };

export function syncCommands(program: Command): void {
  const sync = group(program, 'sync', 'bring the copies of recovery points up to date');
  sync
    .command('run <policy>')
    .description('send now what has not arrived in the copies of the policy')
    .option('--to <repository>', 'only to this one')
    .option('--idempotency-key <key>', 'start nothing when a request with this key did already')
    .option('--detach', 'return as soon as it has started')
    .addHelpText('after', examples('sync run critical', 'sync run critical --to offsite'))
    .action(
      does(async (call, policy: string, options: RunOptions) => {
        const service = await call.service();
        const known = await service.get<Copies>(`/copies?policy=${segment(policy)}`);
        const repositories = options.to ? [options.to] : known.items.map(({ repository }) => repository);
        if (repositories.length === 0) throw noCopies(policy);
        const jobs: Job[] = [];
        for (const repository of repositories) {
          // One request of the user's is one to each copy.
          const key = options.idempotencyKey && `${options.idempotencyKey}/${repository}`;
          const headers = key ? { 'idempotency-key': key } : {};
          jobs.push(await service.post<Job>('/syncs', { policy, repository }, headers));
        }
        const { runToEnd } = await import('./job-run.ts');
        const outcomes: Outcome[] = [];
        for (const job of jobs) outcomes.push(await runToEnd(call, service, job, options.detach === true));
        return together(outcomes);
      }),
    );
  sync
    .command('list')
    .description('how far each copy is behind, and how its last attempt ended')
    .option('--policy <policy>', 'only of this one')
    .addHelpText('after', examples('sync list', 'sync list --policy critical --json'))
    .action(
      does(async (call, { policy }: { policy?: string }) => {
        const service = await call.service();
        const query = policy === undefined ? '' : `?policy=${segment(policy)}`;
        const copies = await service.get<Copies>(`/copies${query}`);
        return { data: copies, text: () => copiesText(copies.items) };
      }),
    );
}

function noCopies(policy: string): HoldfastError {
  return new HoldfastError({
    code: 'usage',
    message: `policy ${policy} has no copies`,
    cause: 'its recovery points are in its own repository only',
    hint: 'name another repository under its `copies`, then `holdfast apply`',
  });
}
