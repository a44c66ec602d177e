import type { Command } from 'commander';
import type { ErrorContract } from '../domain/errors.ts';
import { examples, group, type List } from './command.ts';
import { does } from './outcome.ts';

interface ChannelTest {
  channel: string;
  type: string;
  accepted: boolean;
  words: string;
  error: ErrorContract | null;
}

export function notifyCommands(program: Command): void {
  const notify = group(program, 'notify', 'the channels incidents are told through');

  notify
    .command('test [channel]')
    .description('send a test message, marked as one, and wait for what each channel answers')
    .addHelpText('after', examples('notify test', 'notify test ops'))
    .action(
      does(async (call, channel: string | undefined) => {
        const service = await call.service();
        const list = await service.post<List<ChannelTest>>('/notifications/test', {
          channel: channel ?? null,
        });
        const error = errorOf(list.items);
        return { data: list, text: () => listText(list.items), ...(error && { error }) };
      }),
    );
}

/** The one error that stands for every channel that did not take it. */
function errorOf(tests: ChannelTest[]): ErrorContract | null {
  const failed = tests.flatMap(({ channel, error }) => (error ? [{ channel, error }] : []));
  const [first] = failed;
  if (!first) return null;
  return {
    code: first.error.code,
    message: `the test message was not taken by ${failed.map(({ channel }) => channel).join(', ')}`,
    cause: failed.map(({ channel, error }) => `${channel}: ${error.cause || error.message}`).join('\n'),
    hint: first.error.hint,
  };
}

async function listText(tests: ChannelTest[]): Promise<string> {
  const { table } = await import('./table.ts');
  return table(
    ['CHANNEL', 'TYPE', 'TAKEN', 'ANSWER'],
    tests.map(({ channel, type, accepted, words, error }) => [
      channel,
      type,
      accepted ? 'yes' : 'no',
      accepted ? words : (error?.cause ?? ''),
    ]),
  );
}
