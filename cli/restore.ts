import type { Command } from 'commander';
import { HoldfastError } from '../domain/errors.ts';
import type { Restore } from '../domain/restore.ts';
import { examples, group, moreLine, paged } from './command.ts';
import type { List, PagedOptions } from './command.ts';
import { does } from './outcome.ts';
import { segment } from './service.ts';

interface PrepareOptions {
  asset: string;
  point?: string;
  time?: string;
  include?: string[];
  to?: string;
  from?: string;
  idempotencyKey?: string;
  detach?: boolean;
}

export function restoreCommands(program: Command): void {
  const restore = group(program, 'restore', 'bring data back: prepare, look, commit');

  restore
    .command('prepare')
    .description(
      'restore into staging, check it, and show what a commit would change; the target stays as it is',
    )
    .requiredOption('--asset <name>', 'what to restore')
    .option('--point <id>', 'from this recovery point, or `latest`', 'latest')
    .option('--time <time>', 'from the newest recovery point at or before this time')
    .option('--include <path...>', 'only these paths (see `holdfast points ls`)')
    .option('--to <target>', 'to another place, beside what is there (a path, or a database name)')
    .option(
      '--from <repository>',
      'from the copy in this repository; without it, from the first that can be read',
    )
    .option('--idempotency-key <key>', 'start nothing when a request with this key did already')
    .option('--detach', 'return as soon as it has started')
    .addHelpText(
      'after',
      examples(
        'restore prepare --asset orders',
        'restore prepare --asset uploads --time 2026-11-20T23:59:00Z',
        'restore prepare --asset uploads --include photos/2026 --to /tmp/photos',
      ),
    )
    .action(
      does(async (call, options: PrepareOptions) => {
        const request = {
          asset: options.asset,
          point: options.point === 'latest' ? null : options.point,
          time: options.time === undefined ? null : exactTime(options.time),
          include: options.include ?? [],
          to: options.to ?? null,
          from: options.from ?? null,
        };
        const service = await call.service();
        const headers = options.idempotencyKey ? { 'idempotency-key': options.idempotencyKey } : {};
        const started = await service.post<Restore>('/restores', request, headers);
        const { prepareToEnd } = await import('./restore-run.ts');
        return prepareToEnd(call, service, started, options.detach === true);
      }),
    );

  restore
    .command('commit <id>')
    .description('put a prepared restore in place; what is there now is kept as a safety recovery point')
    .option('--detach', 'return as soon as it has been accepted')
    .addHelpText('after', examples('restore commit r-19'))
    .action(
      does(async (call, id: string, options: { detach?: boolean }) => {
        const service = await call.service();
        const accepted = await service.post<Restore>(`/restores/${segment(id)}/commit`);
        const { commitToEnd } = await import('./restore-run.ts');
        return commitToEnd(call, service, accepted, options.detach === true);
      }),
    );

  restore
    .command('cancel <id>')
    .description('drop a prepared restore and the space it holds')
    .addHelpText('after', examples('restore cancel r-19'))
    .action(
      does(async (call, id: string) => {
        const service = await call.service();
        const cancelled = await service.post<Restore>(`/restores/${segment(id)}/cancel`);
        const { cancelToEnd } = await import('./restore-run.ts');
        return cancelToEnd(call, service, cancelled);
      }),
    );

  restore
    .command('show <id>')
    .description('one restore: what it would change or has changed')
    .addHelpText('after', examples('restore show r-19'))
    .action(
      does(async (call, id: string) => {
        const service = await call.service();
        const found = await service.get<Restore>(`/restores/${segment(id)}`);
        return { data: found, text: async () => (await import('./restore-text.ts')).restoreText(found) };
      }),
    );

  paged(restore.command('list').description('restores, newest first'))
    .option('--asset <name>', 'only of this asset')
    .action(
      does(async (call, { limit, cursor, asset }: PagedOptions & { asset?: string }) => {
        const service = await call.service();
        const list = await service.get<List<Restore>>('/restores', { limit, cursor, asset });
        return { data: list, text: () => listText(list) };
      }),
    );
}

/** Without a zone it is this machine's own time; the answer shows what it was taken for. */
function exactTime(text: string): string {
  const moment = new Date(text);
  if (!Number.isNaN(moment.getTime())) return moment.toISOString();
  throw new HoldfastError({
    code: 'usage',
    message: `reading --time ${text} failed`,
    cause: 'it is no time',
    hint: 'write it like 2026-11-20T23:59:00Z',
  });
}

async function listText(list: List<Restore>): Promise<string> {
  if (list.items.length === 0) return 'no restores yet; `holdfast restore prepare --asset <name>` starts one';
  const [{ table }, { statusCell }, { when }] = await Promise.all([
    import('./table.ts'),
    import('./colours.ts'),
    import('./when.ts'),
  ]);
  const rows = list.items.map((restore) => [
    restore.id,
    restore.asset,
    statusCell(restore.status),
    restore.pointTakenAt === null ? restore.point : when(restore.pointTakenAt),
    restore.target,
    when(restore.createdAt),
  ]);
  return (
    (await table(['ID', 'ASSET', 'STATUS', 'TO THE STATE OF', 'TARGET', 'ASKED'], rows)) + moreLine(list)
  );
}
