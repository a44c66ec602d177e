// What became of the event histories of jobs and restores: whether the files are those the audit chain knows.

import type { Command } from 'commander';
import type { ChainReport } from '../domain/audit-chain.ts';
import { formatBytes } from '../domain/bytes.ts';
import type { ErrorContract } from '../domain/errors.ts';
import { historyFile } from '../domain/history-file.ts';
import { examples } from './command.ts';
import { does } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { segment } from './service.ts';
import type { Service } from './service.ts';

interface HistoryCheck {
  subject: string;
  state: 'whole' | 'altered' | 'missing' | 'elsewhere' | 'unavailable' | 'pending';
  digest: string | null;
  bytes: number | null;
  runs: string[];
  host: string | null;
  path: string | null;
}

export function historyCommand(jobs: Command): void {
  jobs
    .command('history <id>')
    .description("a job's or restore's event history, exported when it ended, held against the audit chain")
    .addHelpText('after', examples('jobs history 7f3a', 'jobs history r-19'))
    .action(
      does(async (call, id: string) => {
        const service = await call.service();
        const found = await service.get<HistoryCheck>(`/jobs/${segment(id)}/history`);
        const bad = found.state === 'altered' || found.state === 'missing';
        return bad
          ? { data: found, error: problemWith([found]) }
          : { data: found, text: () => historyText(found) };
      }),
    );
}

/** After the chain itself was found whole. */
export async function checkHistories(service: Service, chain: ChainReport): Promise<Outcome> {
  const histories = await service.get<{ whole: number; elsewhere: number; problems: HistoryCheck[] }>(
    '/audit/histories',
  );
  const data = { ...chain, ok: histories.problems.length === 0, histories };
  if (histories.problems.length > 0) return { data, error: problemWith(histories.problems) };
  const elsewhere =
    histories.elsewhere === 0 ? '' : `, ${histories.elsewhere} on other machines were not looked at`;
  return {
    data,
    text: () =>
      `the chain in the catalogue is whole: ${chain.events} events; ${histories.whole} exported histories fit it${elsewhere}`,
  };
}

function historyText({ subject, state, path, bytes, digest, host }: HistoryCheck): string {
  switch (state) {
    case 'pending':
      return `the history of ${subject} is not exported yet: it is, within a few minutes of its end`;
    case 'unavailable':
      return `the history of ${subject} is not there: Temporal had lost it before it was exported`;
    case 'elsewhere':
      return [
        `the history of ${subject} is kept on ${host}, in the data directory there; this prints its digest:`,
        `  gunzip -c ${historyFile(subject)} | sha256sum`,
        `the chain has ${digest}`,
      ].join('\n');
    default:
      return `${path}: ${formatBytes(bytes ?? 0)} uncompressed, as on the chain (SHA-256 ${digest})`;
  }
}

function problemWith(histories: HistoryCheck[]): ErrorContract {
  return {
    code: 'proof.failed',
    message: 'checking exported histories against the audit chain failed',
    cause: histories.map(({ subject, state, path }) => `${subject}: ${path} is ${state}`).join('\n'),
    hint: 'bring the file back from a copy of the data directory; the chain has the digest of the right one',
  };
}
