import { createHash } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Client } from '@temporalio/client';
import type { Catalog } from '../catalog/index.ts';
import { exportHistory } from '../client/index.ts';
import { historyFile } from '../domain/history-file.ts';

export interface ArchiveOptions {
  dataDir: string;
  /** Names this machine on the chain: its data directory has the files. */
  host: string;
}

/** In one pass; the rest is done in the next. */
const AT_ONCE = 200;

/**
 * Temporal forgets, the audit must not: the event history of every job and restore that has ended is kept as a
 * file, and its digest put on the chain. The file first: a digest on the chain always has had one. Two workers
 * at once write the same bytes, and the catalogue takes the first.
 */
export async function archiveHistories(
  client: Client,
  catalog: Catalog,
  { dataDir, host }: ArchiveOptions,
): Promise<void> {
  for (const { subject, workflowId } of await catalog.histories.due(AT_ONCE)) {
    const history = await exportHistory(client, workflowId);
    // A job ends its row before its workflow ends: the next pass finds it whole.
    if (history === 'running') continue;
    if (history === 'unknown') {
      await catalog.histories.unavailable(subject, workflowId);
      continue;
    }
    const content = Buffer.from(history.content, 'utf8');
    await writeWhole(join(dataDir, historyFile(subject)), await promisify(gzip)(content));
    await catalog.histories.archived(subject, {
      digest: createHash('sha256').update(content).digest('hex'),
      bytes: content.length,
      workflowId,
      runs: history.runs,
      host,
    });
  }
}

async function writeWhole(path: string, content: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
