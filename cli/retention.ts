import type { Command } from 'commander';
import type { Job } from '../domain/job.ts';
import { examples, group } from './command.ts';
import { does } from './outcome.ts';
import type { RetentionPlan } from './retention-text.ts';
import { segment } from './service.ts';

interface RunOptions {
  confirm?: boolean;
  idempotencyKey?: string;
  detach?: boolean;
}

export function retentionCommands(program: Command): void {
  const retention = group(program, 'retention', 'see and apply what is kept');
  retention
    .command('plan <policy>')
    .description('show which recovery points stay and which would go, each with the reasons; changes nothing')
    .addHelpText('after', examples('retention plan critical', 'retention plan critical --json'))
    .action(
      does(async (call, policy: string) => {
        const service = await call.service();
        const plan = await service.get<RetentionPlan>(`/policies/${segment(policy)}/retention`);
        const { planText } = await import('./retention-text.ts');
        return { data: plan, text: () => planText(policy, plan) };
      }),
    );
  retention
    .command('run <policy>')
    .description('take away what the policy does not keep, in each of its repositories, and free the space')
    .option(
      '--confirm',
      'go ahead although the run would be stopped; goes on the audit chain under your name',
    )
    .option('--idempotency-key <key>', 'start nothing when a request with this key did already')
    .option('--detach', 'return as soon as it has started')
    .addHelpText('after', examples('retention run critical', 'retention run critical --confirm'))
    .action(
      does(async (call, policy: string, options: RunOptions) => {
        const service = await call.service();
        const headers = options.idempotencyKey ? { 'idempotency-key': options.idempotencyKey } : {};
        const request = { policy, confirm: options.confirm === true };
        const job = await service.post<Job>('/retentions', request, headers);
        const { runToEnd } = await import('./job-run.ts');
        return runToEnd(call, service, job, options.detach === true);
      }),
    );
}
