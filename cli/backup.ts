import type { Command } from 'commander';
import type { Job } from '../domain/job.ts';
import { examples, group } from './command.ts';
import { does } from './outcome.ts';

interface RunOptions {
  asset?: string[];
  tag: string[];
  idempotencyKey?: string;
  detach?: boolean;
}

export function backupCommands(program: Command): void {
  const backup = group(program, 'backup', 'back up now');
  backup
    .command('run <policy>')
    .description("back up a policy's assets now, and wait until they have the proof it asks for")
    .option('--asset <name...>', 'only these assets of the policy')
    .option(
      '--tag <word>',
      'a word for its recovery points, which keepTags keeps by; once for each',
      (word: string, before: string[]) => [...before, word],
      [],
    )
    .option('--idempotency-key <key>', 'start nothing when a request with this key did already')
    .option('--detach', 'return as soon as it has started')
    .addHelpText(
      'after',
      examples(
        'backup run critical',
        'backup run critical --asset orders --detach',
        'backup run critical --tag release --tag v2.1',
      ),
    )
    .action(
      does(async (call, policy: string, options: RunOptions) => {
        const service = await call.service();
        const headers = options.idempotencyKey ? { 'idempotency-key': options.idempotencyKey } : {};
        const body = { policy, assets: options.asset ?? [], tags: options.tag };
        const job = await service.post<Job>('/backups', body, headers);
        const { runToEnd } = await import('./job-run.ts');
        return runToEnd(call, service, job, options.detach === true);
      }),
    );
}
