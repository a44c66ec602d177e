// Records that no figure and no guarantee needs any more: what was sent long ago, messages long settled, and which
// job used which key, of which the audit chain keeps the event. Everything else the catalogue keeps for good.

import type { Database } from './database.ts';

export interface OldRecords {
  /** Of before that time; what is younger than 90 days stays, whatever is asked. */
  forget(before: string): Promise<ForgottenRecords>;
}

export interface ForgottenRecords {
  uploads: number;
  messages: number;
  keyUses: number;
}

export function oldRecords(database: Database): OldRecords {
  return {
    forget: (before) =>
      database.write('forgetting old records', async ({ query, audit }) => {
        const [forgotten = { uploads: 0, messages: 0, keyUses: 0 }] = await query<ForgottenRecords>(
          'select uploads, messages, key_uses as "keyUses" from forget_old_records($1)',
          [before],
        );
        if (Object.values(forgotten).some((count) => count > 0))
          audit({ action: 'records.forgotten', subject: 'catalog', details: { ...forgotten, before } });
        return forgotten;
      }),
  };
}
