import type { Command } from 'commander';
import type { ControlReport } from '../domain/evidence/report.ts';
import { examples, group, moreLine, paged } from './command.ts';
import type { List, PagedOptions } from './command.ts';
import { does } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { segment } from './service.ts';

interface Entry {
  sequence: number;
  drillId: string;
  drill: string;
  scenario: string;
  outcome: string;
  endedAt: string;
  digest: string;
  keyId: string;
  approval: { by: string; at: string } | null;
}

interface Period {
  from?: string;
  to?: string;
}

export function evidenceCommands(program: Command): void {
  const evidence = group(program, 'evidence', 'the signed records of drills');
  listCommand(evidence);
  showCommand(evidence);
  exportCommand(evidence);
  verifyCommand(evidence);
  reportCommand(evidence);
}

function listCommand(evidence: Command): void {
  const command = paged(evidence.command('list').description('what drills left, newest first'));
  withPeriod(command.option('--drill <name>', 'only of this one'))
    .addHelpText('after', examples('evidence list --drill quarterly'))
    .action(
      does(async (call, options: PagedOptions & Period & { drill?: string }) => {
        const { limit, cursor, drill } = options;
        const period = await periodOf(options);
        const service = await call.service();
        const list = await service.get<List<Entry>>('/evidence', { limit, cursor, drill, ...period });
        return { data: list, text: () => listText(list) };
      }),
    );
}

function showCommand(evidence: Command): void {
  evidence
    .command('show [id]')
    .description('one of them as Markdown; by its number or the id of its drill')
    .option('--file <path>', 'of this signed file instead; needs no running service, and checks nothing')
    .option('--html', 'as HTML')
    .addHelpText(
      'after',
      examples('evidence show 4', 'evidence show --file 000004-quarterly-2026-11-21.json'),
    )
    .action(
      does(async (call, id: string | undefined, options: { file?: string; html?: boolean }) => {
        const files = await import('./evidence-files.ts');
        if (options.file !== undefined) return files.shown(await files.readSigned(options.file), options);
        if (id === undefined) return { data: {}, error: files.nothingNamed };
        const service = await call.service();
        return files.shown(await service.get(`/evidence/${segment(id)}`), options);
      }),
    );
}

function exportCommand(evidence: Command): void {
  withPeriod(evidence.command('export').description('signed files, their renderings and a signed manifest'))
    .requiredOption('--output <folder>', 'a folder that is not there yet')
    .addHelpText('after', examples('evidence export --output evidence-2026 --from 2026-01-01'))
    .action(
      does(async (call, options: Period & { output: string }) => {
        const [service, files] = await Promise.all([call.service(), import('./evidence-files.ts')]);
        const words = new URLSearchParams(Object.entries(await periodOf(options)));
        return files.exportTo(await service.stream(`/evidence-export?${words.toString()}`), options.output);
      }),
    );
}

function verifyCommand(evidence: Command): void {
  evidence
    .command('verify <paths...>')
    .description('check signed files, or a folder as a whole, and name what was altered; needs no service')
    .option('--public-key <path>', 'kept from before, to see who signed: the first, or a later one')
    .option('--audit <path>', 'an export of the audit chain, to hold them against')
    .addHelpText(
      'after',
      examples('evidence verify evidence-2026 --public-key first.pub --audit audit.ndjson'),
    )
    .action(
      does(async (_call, paths: string[], options: { publicKey?: string; audit?: string }) => {
        const { verify } = await import('./evidence-verify.ts');
        return verify(paths, options);
      }),
    );
}

function reportCommand(evidence: Command): void {
  evidence
    .command('report')
    .description('what drills show for CIS 11.5, ISO 27001 A.8.13, SOC 2 A1.2/A1.3 and NIST CP-9, misses too')
    .requiredOption('--from <time>', 'drills that ended from this time on (RFC 3339, or a date)')
    .requiredOption('--to <time>', 'and before this one')
    .option('--html', 'as HTML; else Markdown')
    .option('--check', 'exit with 21 unless every control is shown without a miss')
    .addHelpText('after', examples('evidence report --from 2026-01-01 --to 2027-01-01 > drills-2026.md'))
    .action(
      does(async (call, options: Period & { html?: boolean; check?: boolean }) => {
        const period = await periodOf(options);
        const service = await call.service();
        const report = await service.get<ControlReport>('/evidence-report', { ...period });
        return reportOutcome(report, options);
      }),
    );
}

function withPeriod(command: Command): Command {
  return command
    .option('--from <time>', 'drills that ended from this time on (RFC 3339, or a date)')
    .option('--to <time>', 'and before this one');
}

async function periodOf({ from, to }: Period): Promise<Record<string, string>> {
  const { moment } = await import('./when.ts');
  const given = { from: moment(from), to: moment(to) };
  return Object.fromEntries(Object.entries(given).flatMap(([name, time]) => (time ? [[name, time]] : [])));
}

async function listText(list: List<Entry>): Promise<string> {
  const [{ table }, { exact }] = await Promise.all([import('./table.ts'), import('./when.ts')]);
  const rows = list.items.map(({ sequence, drill, scenario, outcome, endedAt, ...more }) => [
    ...[String(sequence), drill, scenario, outcome === 'passed' ? outcome : outcome.toUpperCase()],
    ...[exact(endedAt), more.drillId, more.digest.slice(0, 16)],
    more.approval === null ? '-' : `${more.approval.by}, ${exact(more.approval.at)}`,
  ]);
  const head = ['#', 'DRILL', 'SCENARIO', 'OUTCOME', 'ENDED', 'ID', 'SHA-256', 'SIGNED OFF'];
  return (await table(head, rows)) + moreLine(list);
}

async function reportOutcome(
  report: ControlReport,
  { html, check }: { html?: boolean; check?: boolean },
): Promise<Outcome> {
  const [{ reportDocument }, { htmlOf, markdownOf }] = await Promise.all([
    import('../domain/evidence/render-report.ts'),
    import('../domain/evidence/document.ts'),
  ]);
  const text = () => (html ? htmlOf : markdownOf)(reportDocument(report)).trimEnd();
  const missed = report.controls.filter(({ state }) => state !== 'shown');
  if (!check || missed.length === 0) return { data: report, text };
  return {
    data: report,
    text,
    error: {
      code: 'objective.breached',
      message: `the drills from ${report.period.from} to ${report.period.to} do not show every control`,
      cause: missed.map(({ control, misses }) => `${control}: ${misses.join('; ')}`).join('\n'),
      hint: 'hold the drills that are missing, and have what failed tested again; a miss of the past stays one',
    },
  };
}
