import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { AuditEvent } from '../../domain/audit-chain.ts';
import { historyFile } from '../../domain/history-file.ts';
import type { HistoryCheck, HistoryReport, Services } from '../services.ts';
import type { Parts } from './parts.ts';

type HistoryServices = Pick<Services, 'jobHistory' | 'checkHistories'>;

/** What is on the chain counts, not the row of the job: that one can be written by whoever owns the tables. */
export function historyServices({ catalog, dataDir, host }: Parts): HistoryServices {
  return {
    jobHistory: async (id) => {
      const subject = /^r-\d+$/.test(id)
        ? `restore/${(await catalog.restores.find(id)).id}`
        : `job/${(await catalog.jobs.find(id)).id}`;
      const [event] = (await catalog.audit.list({ subject, action: 'history.', limit: 1 })).items;
      return event ? check(event) : { ...NOTHING, subject, state: 'pending' };
    },

    checkHistories: async () => {
      const report: HistoryReport = { whole: 0, elsewhere: 0, problems: [] };
      let cursor: string | null = null;
      do {
        const page: { items: AuditEvent[]; next: string | null } = await catalog.audit.list({
          action: 'history.archived',
          limit: 500,
          cursor,
        });
        for (const event of page.items) {
          const checked = await check(event);
          if (checked.state === 'whole') report.whole += 1;
          else if (checked.state === 'elsewhere') report.elsewhere += 1;
          else report.problems.push(checked);
        }
        cursor = page.next;
      } while (cursor !== null);
      return report;
    },
  };

  async function check({ action, subject, at, details }: AuditEvent): Promise<HistoryCheck> {
    const facts = { ...NOTHING, ...(details as Partial<HistoryCheck>), subject, at };
    if (action !== 'history.archived') return { ...facts, state: 'unavailable' };
    const path = join(dataDir, historyFile(subject));
    const digest = await digestOf(path);
    if (digest === null) return { ...facts, path, state: facts.host === host ? 'missing' : 'elsewhere' };
    return { ...facts, path, state: digest === facts.digest ? 'whole' : 'altered' };
  }
}

const NOTHING = {
  workflowId: null,
  at: null,
  digest: null,
  bytes: null,
  runs: [],
  host: null,
  path: null,
};

/** null: the file is not there; what cannot be uncompressed has no digest, and fits none. */
async function digestOf(path: string): Promise<string | null> {
  let compressed: Buffer;
  try {
    compressed = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const content = await promisify(gunzip)(compressed).catch(() => Buffer.alloc(0));
  return createHash('sha256').update(content).digest('hex');
}
