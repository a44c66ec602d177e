import type { Command } from 'commander';
import { examples } from './command.ts';
import { does } from './outcome.ts';

interface UpFlags {
  detach?: boolean;
  only?: string;
}

interface Urls {
  api: string | null;
  temporalUi: string | null;
  temporal: string;
}

export function upCommand(program: Command): void {
  program
    .command('up')
    .description('run everything: catalogue, Temporal, worker, API; on loopback, in the data directory')
    .option('--detach', 'return once it is ready, and go on in the background')
    .option('--only <part>', 'only our own `worker` or `api`, where the servers are elsewhere')
    .addHelpText('after', examples('up', 'up --detach', 'down'))
    .action(
      does(async (call, flags: UpFlags) => {
        const [{ loadConfiguration }, { upDetached, upInForeground, partNamed }] = await Promise.all([
          import('./configuration-file.ts'),
          import('./up-stack.ts'),
        ]);
        const { configuration, path } = await loadConfiguration({ option: call.config });
        const only = partNamed(flags.only);
        const options = { configuration, configurationFile: path, only, say: call.say };
        if (flags.detach) {
          const words = ['--config', path, 'up', ...(only ? ['--only', only] : [])];
          const urls = await upDetached(options, words);
          return { data: { ready: true, urls }, text: () => readyText(urls) };
        }
        let urls: Urls | null = null;
        await upInForeground(options, (ready) => {
          urls = ready;
          call.say(readyText(ready));
        });
        return { data: { ready: false, urls }, text: () => 'stopped' };
      }),
    );
}

export function downCommand(program: Command): void {
  program
    .command('down')
    .description('stop what `up` started; running jobs go on at the next `up`')
    .action(
      does(async (call) => {
        const [{ loadConfiguration }, { down }] = await Promise.all([
          import('./configuration-file.ts'),
          import('./down.ts'),
        ]);
        const { configuration } = await loadConfiguration({ option: call.config });
        const { stopped } = await down(configuration.dataDir);
        return { data: { stopped }, text: () => (stopped ? 'stopped' : 'nothing was running') };
      }),
    );
}

function readyText(urls: Urls): string {
  return [
    'ready',
    ...(urls.api ? [`  API          ${urls.api} (documentation: ${urls.api}/docs)`] : []),
    ...(urls.temporalUi ? [`  Temporal UI  ${urls.temporalUi}`] : []),
    `  Temporal     ${urls.temporal}`,
  ].join('\n');
}
