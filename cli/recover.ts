import type { Command } from 'commander';
import { examples } from './command.ts';
import { does } from './outcome.ts';
import type { RecoverFlags } from './recover-request.ts';

export function recoverCommand(program: Command): void {
  program
    .command('recover')
    .description(
      'rebuild a lost service from a repository and its key; needs no service and no configuration',
    )
    .requiredOption('--repository <url>', 'where it is, as restic takes it')
    .requiredOption('--password <reference>', 'where its key is: env:NAME, file:PATH or cmd:COMMAND')
    .option('--env <name=reference...>', 'what restic needs besides, for example AWS_ACCESS_KEY_ID=env:KEY')
    .option('--identity-file <file>', 'for sftp: the only key that is offered')
    .option('--known-hosts-file <file>', 'for sftp: the only file in which the key of its host is looked up')
    .option(
      '--data-dir <folder>',
      'where the data of the service goes, instead of where the configuration says',
    )
    .option(
      '--catalog <reference>',
      "where the URL of the catalogue's new database is, instead of the configuration's catalog.url",
    )
    .option('--at <time>', 'as it was at this time, instead of the newest')
    .option('--point <id>', 'from this recovery point of the control plane')
    .option('--dry-run', 'say what would be done, and change nothing')
    .addHelpText(
      'after',
      examples(
        'recover --repository /mnt/disk/repo --password file:./repo.key --dry-run',
        'recover --repository s3:https://host/bucket --password file:./repo.key --env AWS_ACCESS_KEY_ID=env:ID AWS_SECRET_ACCESS_KEY=env:SECRET',
      ),
    )
    .action(
      does(async (call, flags: RecoverFlags) => {
        const [{ requestFrom }, { stepOfTerminal }, { recover }, { recoveryOutcome }] = await Promise.all([
          import('./recover-request.ts'),
          import('./recover-step.ts'),
          import('../workers/recover/recover.ts'),
          import('./recover-text.ts'),
        ]);
        const request = requestFrom(flags, call.config);
        const { step, end } = stepOfTerminal(call.say);
        try {
          return recoveryOutcome(await recover(request, step, new Date()), request);
        } finally {
          end();
        }
      }),
    );
}
