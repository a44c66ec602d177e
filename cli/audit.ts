import { once } from 'node:events';
import type { Command } from 'commander';
import type { AuditEvent, ChainReport } from '../domain/audit-chain.ts';
import { HoldfastError, wordsOf } from '../domain/errors.ts';
import { examples, group, moreLine, paged } from './command.ts';
import type { List, PagedOptions } from './command.ts';
import { does } from './outcome.ts';
import type { Outcome } from './outcome.ts';

export function auditCommands(program: Command): void {
  const audit = group(program, 'audit', 'every change of state and who made it, in a chain of digests');

  paged(audit.command('list').description('events, newest first')).action(
    does(async (call, { limit, cursor }: PagedOptions) => {
      const service = await call.service();
      const list = await service.get<List<AuditEvent>>('/audit', { limit, cursor });
      return { data: list, text: () => listText(list) };
    }),
  );

  audit
    .command('verify')
    .description('check that no event was edited, removed, put in or moved')
    .option('--file <path>', 'check an export instead; needs no running service')
    .addHelpText('after', examples('audit verify', 'audit verify --file audit.ndjson'))
    .action(
      does(async (call, { file }: { file?: string }) => {
        if (file !== undefined) return verdict(await checkFile(file), file);
        const service = await call.service();
        return verdict(await service.get<ChainReport>('/audit/verification'), 'the catalogue');
      }),
    );

  audit
    .command('export')
    .description(
      'the whole chain on standard output, one event a line (with --json as one list, newest first)',
    )
    .addHelpText('after', examples('audit export > audit.ndjson'))
    .action(
      does(async (call) => {
        const service = await call.service();
        const pieces = await service.stream('/audit/export');
        if (call.json) return { data: await collected(pieces) };
        await passOn(pieces);
        return { data: {} };
      }),
    );
}

async function listText(list: List<AuditEvent>): Promise<string> {
  const [{ table }, { exact }] = await Promise.all([import('./table.ts'), import('./when.ts')]);
  const rows = list.items.map(({ sequence, at, actor, action, subject }) => [
    String(sequence),
    exact(at),
    actor,
    action,
    subject,
  ]);
  return (await table(['#', 'AT', 'WHO', 'DID', 'TO'], rows)) + moreLine(list);
}

async function checkFile(path: string): Promise<ChainReport> {
  const [{ readFile }, { createHash }, { checkExport }] = await Promise.all([
    import('node:fs/promises'),
    import('node:crypto'),
    import('../domain/audit-chain.ts'),
  ]);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new HoldfastError({
      code: 'usage',
      message: `reading the audit export ${path} failed`,
      cause: wordsOf(error),
      hint: 'name a file written by `holdfast audit export`',
    });
  }
  return checkExport(text.split('\n'), (words) => createHash('sha256').update(words).digest('hex'));
}

function verdict(report: ChainReport, where: string): Outcome {
  if (report.ok) {
    const { events, head } = report;
    return {
      data: report,
      text: () => `the chain in ${where} is whole: ${events} events, the last with digest ${head.digest}`,
    };
  }
  return {
    data: report,
    error: {
      code: 'proof.failed',
      message: `checking the audit chain in ${where} failed`,
      cause: report.problem ? `event ${report.problem.sequence}: ${report.problem.what}` : '',
      hint: 'compare with an export kept elsewhere: what comes before that event can be trusted, what follows cannot',
    },
  };
}

async function collected(pieces: AsyncIterable<Uint8Array>): Promise<List<AuditEvent>> {
  const chunks: Uint8Array[] = [];
  for await (const piece of pieces) chunks.push(piece);
  const lines = Buffer.concat(chunks).toString('utf8').split('\n').filter(Boolean);
  return { items: lines.map((line) => JSON.parse(line) as AuditEvent).reverse(), next: null };
}

async function passOn(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of pieces) {
    if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
  }
}
