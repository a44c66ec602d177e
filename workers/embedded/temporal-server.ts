import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { resolveTool } from '../../tools/resolve.ts';
import {
  holdfastAsset,
  holdfastJob,
  holdfastPolicy,
  holdfastStatus,
} from '../../workflows/search-attributes.ts';
import type { Part } from './part.ts';
import { processPart } from './process-part.ts';

export interface TemporalServer {
  dataDir: string;
  port: number;
  uiPort: number;
}

const TYPES = { KEYWORD: 'Keyword', KEYWORD_LIST: 'KeywordList' } as const;

/** Temporal's development server, its database on disk, tuned as measured: 10 ms an activity instead of 100. */
export async function temporalServer({ dataDir, port, uiPort }: TemporalServer): Promise<Part> {
  const { path } = await resolveTool('temporal', { install: false });
  await mkdir(join(dataDir, 'temporal'), { recursive: true, mode: 0o700 });
  await mkdir(join(dataDir, 'log'), { recursive: true, mode: 0o700 });
  const attributes = [holdfastPolicy, holdfastAsset, holdfastJob, holdfastStatus];
  const named = attributes.map(({ name, type }) => `${name}=${TYPES[type]}`);
  return processPart({
    name: 'temporal',
    file: path,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
      ...['--db-filename', join(dataDir, 'temporal', 'temporal.db'), '--log-level', 'error'],
      ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=1'],
      ...['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=2000'],
      ...['--dynamic-config-value', 'history.timerProcessorMaxPollRPS=2000'],
      ...named.flatMap((attribute) => ['--search-attribute', attribute]),
    ],
    logFile: join(dataDir, 'log', 'temporal.log'),
    ready: (signal) => answers(`127.0.0.1:${port}`, signal),
  });
}

/** Serving means that the namespace is there, not only that the port is open. */
async function answers(address: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: '1 s' });
      try {
        await connection.workflowService.describeNamespace({ namespace: 'default' });
        return;
      } finally {
        await connection.close();
      }
    } catch {
      // Not yet: whoever waits has the time limit.
      await pause(100);
    }
  }
}
