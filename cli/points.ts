import type { Command } from 'commander';
import { formatBytes } from '../domain/bytes.ts';
import { examples, group, moreLine, paged } from './command.ts';
import type { List, PagedOptions } from './command.ts';
import { does } from './outcome.ts';
import { holdCommands } from './holds.ts';
import type { ListedPoint } from './holds.ts';
import { printable } from './printable.ts';
import { segment } from './service.ts';

interface ListOptions extends PagedOptions {
  asset?: string;
  kind?: string;
  orphaned?: boolean;
}

interface PointFile {
  path: string;
  type: string;
  size: number;
  modifiedAt: string;
}

export function pointsCommands(program: Command): void {
  const points = group(program, 'points', 'what can be restored, with its proof');

  paged(points.command('list').description('recovery points, newest first'))
    .option('--asset <name>', 'only of this asset')
    .option('--kind <kind>', 'safety points (taken before a restore) or system ones instead of regular ones')
    .option('--orphaned', 'only those of assets that no configured policy looks after')
    .addHelpText('after', examples('points list --asset orders', 'points list --kind safety'))
    .action(
      does(async (call, options: ListOptions) => {
        const { limit, cursor, asset, kind } = options;
        const orphaned = options.orphaned ? 'true' : undefined;
        const service = await call.service();
        const list = await service.get<List<ListedPoint>>('/points', {
          limit,
          cursor,
          asset,
          kind,
          orphaned,
        });
        return { data: list, text: () => listText(list) };
      }),
    );

  points
    .command('show <id>')
    .description('one recovery point: where it is kept, and what has been shown of it')
    .addHelpText('after', examples('points show 4c1d'))
    .action(
      does(async (call, id: string) => {
        const service = await call.service();
        const point = await service.get<ListedPoint>(`/points/${segment(id)}`);
        return { data: point, text: async () => (await import('./point-text.ts')).pointText(point) };
      }),
    );

  points
    .command('ls <id> [path]')
    .description('look inside a recovery point')
    .addHelpText('after', examples('points ls 4c1d', 'points ls 4c1d photos/2026'))
    .action(
      does(async (call, id: string, path: string | undefined) => {
        const service = await call.service();
        const list = await service.get<List<PointFile>>(`/points/${segment(id)}/files`, { path });
        return { data: list, text: () => filesText(list.items) };
      }),
    );

  points
    .command('import')
    .description(
      'take restic snapshots that Holdfast did not make, or knows no more, as recovery points of an asset',
    )
    .requiredOption('--asset <name>', 'the asset they are of')
    .requiredOption('--repository <name>', 'where they are')
    .option(
      '--snapshot <id...>',
      "only these; else every one of the asset's path, and those that Holdfast made of it",
    )
    .addHelpText('after', examples('points import --asset uploads --repository old --snapshot 1a2b3c4d'))
    .action(
      does(async (call, options: { asset: string; repository: string; snapshot?: string[] }) => {
        const service = await call.service();
        const { asset, repository, snapshot = [] } = options;
        const list = await service.post<List<ListedPoint>>('/points/import', {
          asset,
          repository,
          snapshots: snapshot,
        });
        return { data: list, text: () => listText(list) };
      }),
    );

  holdCommands(points);
}

async function listText(list: List<ListedPoint>): Promise<string> {
  if (list.items.length === 0) return 'no recovery points; `holdfast backup run <policy>` takes the first';
  const [{ table }, { statusCell }, { when }] = await Promise.all([
    import('./table.ts'),
    import('./colours.ts'),
    import('./when.ts'),
  ]);
  const tagged = list.items.some(({ tags }) => tags.length > 0);
  const rows = list.items.map((point) => [
    point.id,
    point.orphaned ? `${point.asset} (orphaned)` : point.asset,
    when(point.takenAt),
    { ...statusCell(point.proof), text: proofText(point) },
    formatBytes(point.bytes),
    ...(tagged ? [point.tags.join(', ')] : []),
    point.copies.map(({ repository }) => repository).join(', '),
  ]);
  const columns = ['ID', 'ASSET', 'TAKEN', 'PROOF', 'SIZE', ...(tagged ? ['TAGS'] : []), 'KEPT IN'];
  return (await table(columns, rows)) + moreLine(list);
}

function proofText({ proof, partial, holds }: ListedPoint): string {
  return [proof, ...(partial === null ? [] : ['partial']), ...(holds.length > 0 ? ['held'] : [])].join(', ');
}

/** The path last and whole, so that it can be copied for `--include`. */
function filesText(files: PointFile[]): string {
  if (files.length === 0) return 'nothing is there';
  return files
    .map(({ type, size, modifiedAt, path }) => {
      const mark = type === 'dir' ? '/' : '';
      return `${formatBytes(size).padStart(9)}  ${modifiedAt.slice(0, 19)}Z  ${printable(path)}${mark}`;
    })
    .join('\n');
}
