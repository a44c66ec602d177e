// Whether the key that came back is the one the recovered chain goes on with.

import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { folders } from '../../activities/deployment.ts';
import { ifThere } from '../../activities/hosts/if-there.ts';
import type { Catalog } from '../../catalog/index.ts';
import type { AuditEvent } from '../../domain/audit-chain.ts';
import { AuditKeys, keyIdOf, type KeyState } from '../../domain/audit-keys.ts';

export interface RecoveredKey {
  keyId: string;
  /** `strange`: it was rotated while the point was made, and the service will announce it anew. */
  state: KeyState;
}

/** null: no service had made one yet. */
export async function recoveredKey(dataDir: string, catalog: Catalog): Promise<RecoveredKey | null> {
  const file = await ifThere(readFile(join(folders.keys(dataDir), 'audit-ed25519.key'), 'utf8'));
  if (file === null) return null;
  const half = createPublicKey(createPrivateKey(file)).export({ type: 'spki', format: 'der' });
  const publicKey = half.toString('base64');
  // Whether the signatures on the chain are right is for whoever checks an export to say.
  const keys = new AuditKeys(sha256, () => true);
  for (const event of await keyEvents(catalog)) keys.follow(event);
  return { keyId: keyIdOf(publicKey, sha256), state: keys.state(publicKey) };
}

async function keyEvents(catalog: Catalog): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: AuditEvent[]; next: string | null } = await catalog.audit.list({
      action: 'audit.key',
      limit: 500,
      cursor,
    });
    events.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return events.reverse();
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
