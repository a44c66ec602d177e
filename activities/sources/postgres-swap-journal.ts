// What the names of the databases can't tell about a swap, kept beside the restore.

import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../hosts/if-there.ts';
import type { RestoreOrder } from './source.ts';

export interface Journal {
  /** Was there a target before the swap? */
  existed: boolean;
  allowConnections: boolean;
  /** Created on the server for this restore. */
  roles: string[];
  phase: 'restoring' | 'renaming' | 'undone';
}

export async function readJournal(order: RestoreOrder): Promise<Journal | null> {
  const content = await ifThere(readFile(journalPath(order), 'utf8'));
  return content === null ? null : (JSON.parse(content) as Journal);
}

export async function writeJournal(order: RestoreOrder, journal: Journal): Promise<void> {
  await mkdir(order.journal, { recursive: true, mode: 0o700 });
  const path = journalPath(order);
  const file = await open(`${path}.new`, 'w', 0o600);
  await file.writeFile(JSON.stringify(journal));
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
}

function journalPath(order: RestoreOrder): string {
  return join(order.journal, 'postgres-swap.json');
}
