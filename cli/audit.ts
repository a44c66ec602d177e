import type { Command } from 'commander';
import type { AuditEvent, ChainReport } from '../domain/audit-chain.ts';
import { examples, group, moreLine, paged } from './command.ts';
import type { List, PagedOptions } from './command.ts';
import { does } from './outcome.ts';
import type { Outcome } from './outcome.ts';

interface ListOptions extends PagedOptions {
  actor?: string;
  action?: string;
  subject?: string;
  since?: string;
  until?: string;
}

export function auditCommands(program: Command): void {
  const audit = group(program, 'audit', 'every change of state and who made it, in a chain of digests');

  paged(audit.command('list').description('events, newest first'))
    .option('--actor <name>', 'only by this one')
    .option('--action <beginning>', 'only actions that begin so: point. or restore.commit')
    .option('--subject <subject>', 'only about this: job/<id>, point/<id>, restore/r-1')
    .option('--since <time>', 'from this on (RFC 3339, or a date)')
    .option('--until <time>', 'before this')
    .addHelpText('after', examples('audit list --action point. --since 2026-11-01'))
    .action(
      does(async (call, options: ListOptions) => {
        const { limit, cursor, actor, action, subject } = options;
        const { moment } = await import('./when.ts');
        const [since, until] = [moment(options.since), moment(options.until)];
        const service = await call.service();
        const query = { limit, cursor, actor, action, subject, since, until };
        const list = await service.get<List<AuditEvent>>('/audit', query);
        return { data: list, text: () => listText(list) };
      }),
    );

  audit
    .command('verify')
    .description('check that no event was edited, removed, put in or moved')
    .option('--file <path>', 'check an export instead; needs no running service')
    .option('--public-key <path>', 'with --file: the public key kept from before, to see who signed it')
    .option('--histories', 'check the exported event histories of jobs against the chain as well')
    .addHelpText(
      'after',
      examples('audit verify', 'audit verify --file audit.ndjson --public-key audit-ed25519.pub'),
    )
    .action(
      does(async (call, options: { file?: string; publicKey?: string; histories?: boolean }) => {
        const { file, publicKey = null } = options;
        if (file !== undefined) return (await import('./audit-file.ts')).checkFile(file, publicKey);
        const service = await call.service();
        const report = await service.get<ChainReport>('/audit/verification');
        if (!report.ok || !options.histories) return verdict(report);
        return (await import('./histories.ts')).checkHistories(service, report);
      }),
    );

  audit
    .command('export')
    .description(
      'the whole chain, one event a line, and its signed head (with --json as one list, newest first)',
    )
    .option('--output <file>', 'write it there, readable by you only; else to standard output')
    .addHelpText('after', examples('audit export --output audit.ndjson', 'audit export > audit.ndjson'))
    .action(
      does(async (call, { output }: { output?: string }) => {
        const [service, { exportTo }] = await Promise.all([call.service(), import('./audit-file.ts')]);
        return exportTo(await service.stream('/audit/export'), output ?? null, call.json);
      }),
    );

  audit
    .command('key')
    .description(
      'the public key that exports are signed for, as PEM: keep it where this host cannot change it',
    )
    .addHelpText('after', examples('audit key > audit-ed25519.pub'))
    .action(
      does(async (call) => {
        const service = await call.service();
        const key = await service.get<PublicKey>('/audit/key');
        return { data: key, text: () => pem(key) };
      }),
    );

  audit
    .command('rotate-key')
    .description('sign exports with a new key from now on; the old one signs the change, then it is gone')
    .requiredOption('--reason <words>', 'why')
    .addHelpText('after', examples('audit rotate-key --reason "yearly"'))
    .action(
      does(async (call, { reason }: { reason: string }) => {
        const service = await call.service();
        const key = await service.post<PublicKey>('/audit/key/rotation', { reason });
        return { data: key, text: () => `exports are signed with key ${key.keyId} from now on` };
      }),
    );
}

interface PublicKey {
  keyId: string;
  publicKey: string;
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

function pem({ publicKey }: PublicKey): string {
  return `-----BEGIN PUBLIC KEY-----\n${publicKey}\n-----END PUBLIC KEY-----`;
}

function verdict(report: ChainReport): Outcome {
  if (report.ok) {
    const { events, head } = report;
    return {
      data: report,
      text: () =>
        `the chain in the catalogue is whole: ${events} events, the last with digest ${head.digest}`,
    };
  }
  return {
    data: report,
    error: {
      code: 'proof.failed',
      message: 'checking the audit chain in the catalogue failed',
      cause: report.problem ? `event ${report.problem.sequence}: ${report.problem.what}` : '',
      hint: 'compare with an export kept elsewhere: what comes before that event can be trusted, what follows cannot',
    },
  };
}
