// Which secrets were opened, and for what: a reference's first use by a job, restore or look is an event on the
// chain. Never a value.

import type { Database } from './database.ts';

export interface KeyUses {
  /** `subject`: `job/<id>`, `restore/r-1`; `reference`: where the secret stands (`file:/…`, `env:NAME`). */
  record(subject: string, reference: string): Promise<void>;
}

export function keyUses(database: Database): KeyUses {
  return {
    record: (subject, reference) =>
      database.write(`recording the use of ${reference}`, async ({ query, audit }) => {
        const first = await query(
          'insert into key_uses (subject, reference) values ($1, $2) on conflict do nothing returning subject',
          [subject, reference],
        );
        if (first.length > 0) audit({ action: 'secret.used', subject, details: { reference } });
      }),
  };
}
