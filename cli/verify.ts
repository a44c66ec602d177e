import type { Command } from 'commander';
import type { Job } from '../domain/job.ts';
import { examples, group } from './command.ts';
import { does } from './outcome.ts';

interface RunOptions {
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
    .option('--idempotency-key <key>', 'start nothing when a request with this key did already')
    .option('--detach', 'return as soon as it has started')
    .addHelpText('after', examples('verify run critical', 'verify run critical --latest'))
    .action(
      does(async (call, policy: string, options: RunOptions) => {
        const service = await call.service();
        const headers = options.idempotencyKey ? { 'idempotency-key': options.idempotencyKey } : {};
        const { latest = false, point = null } = options;
        const request = { policy, all: !latest && point === null, point };
        const job = await service.post<Job>('/verifications', request, headers);
        const { runToEnd } = await import('./job-run.ts');
        return runToEnd(call, service, job, options.detach === true);
      }),
    );
}
