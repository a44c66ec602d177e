import { Option, type Command } from 'commander';
import type { Job } from '../domain/job.ts';
import { examples, group } from './command.ts';
import type { VerificationPlan } from '../domain/verification/policy-plan.ts';
import { does } from './outcome.ts';
import { segment } from './service.ts';

interface RunOptions {
  due?: boolean;
  latest?: boolean;
  point?: string;
  idempotencyKey?: string;
  detach?: boolean;
}

export function verifyCommands(program: Command): void {
  const verify = group(program, 'verify', 'read recovery points back and prove them');
  verify
    .command('run <policy>')
    .description(
      "read back every recovery point of a policy's assets in every repository, and prove the newest as the policy asks",
    )
    .option('--latest', 'only the newest recovery point of each asset')
    .option('--point <id>', 'only this one')
    .addOption(
      new Option('--due', "what the policy's verification has due now, as its own runs do").conflicts([
        'latest',
        'point',
      ]),
    )
    .option('--idempotency-key <key>', 'start nothing when a request with this key did already')
    .option('--detach', 'return as soon as it has started')
    .addHelpText(
      'after',
      examples('verify run critical', 'verify run critical --latest', 'verify run critical --due'),
    )
    .action(
      does(async (call, policy: string, options: RunOptions) => {
        const service = await call.service();
        const headers = options.idempotencyKey ? { 'idempotency-key': options.idempotencyKey } : {};
        const { latest = false, point = null, due = false } = options;
        const request = { policy, all: !latest && point === null, point, due };
        const job = await service.post<Job>('/verifications', request, headers);
        const { runToEnd } = await import('./job-run.ts');
        return runToEnd(call, service, job, options.detach === true);
      }),
    );
  verify
    .command('plan <policy>')
    .description('what a run of its verification would read back and rehearse now, and why; changes nothing')
    .addHelpText('after', examples('verify plan critical', 'verify plan critical --json'))
    .action(
      does(async (call, policy: string) => {
        const service = await call.service();
        const plan = await service.get<VerificationPlan>(`/verifications/plan?policy=${segment(policy)}`);
        const text = async () => (await import('./verification-text.ts')).verificationText(plan);
        return { data: plan, text };
      }),
    );
}
