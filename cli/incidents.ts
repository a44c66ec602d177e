import type { Command } from 'commander';
import type { Incident } from '../domain/incidents/condition.ts';
import { examples, group, moreLine, paged } from './command.ts';
import type { List, PagedOptions } from './command.ts';
import { does } from './outcome.ts';
import { printable } from './printable.ts';

export function incidentsCommands(program: Command): void {
  const incidents = group(program, 'incidents', 'what is wrong, and what was');

  paged(incidents.command('list').description('open incidents, newest first'))
    .option('--all', 'also those that are over')
    .addHelpText('after', examples('incidents list', 'incidents list --all'))
    .action(
      does(async (call, { limit, cursor, all }: PagedOptions & { all?: boolean }) => {
        const service = await call.service();
        const list = await service.get<List<Incident>>('/incidents', {
          limit,
          cursor,
          all: all ? 'true' : undefined,
        });
        return { data: list, text: () => listText(list, all === true) };
      }),
    );
}

/** Each with its cause and the next step below it, as in `status`. */
async function listText(list: List<Incident>, all: boolean): Promise<string> {
  if (list.items.length === 0) return all ? 'no incidents' : 'no open incidents';
  const { when } = await import('./when.ts');
  const lines = list.items.flatMap(({ id, severity, title, openedAt, resolvedAt, reason, next }) => {
    const state = resolvedAt === null ? severity : 'resolved';
    const until = resolvedAt === null ? '' : `, over ${when(resolvedAt)}`;
    const head = printable(`${id.padEnd(5)} ${state.padEnd(8)}  ${title}, since ${when(openedAt)}${until}`);
    if (resolvedAt !== null) return [head];
    return [head, `      cause: ${printable(reason)}`, `      next:  ${printable(next)}`];
  });
  return lines.join('\n') + moreLine(list);
}
