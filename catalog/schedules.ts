// What each Schedule in Temporal was last made from.

import type { Database } from './database.ts';

export interface Schedules {
  /** By id: the shape it has in Temporal. */
  list(): Promise<Map<string, ScheduleRecord>>;
  /** `shape` null: the Schedule is gone. `mended`: ids of those that were as recorded here, and not in Temporal. */
  record(schedules: readonly (ScheduleRecord & { id: string })[], mended?: readonly string[]): Promise<void>;
}

export interface ScheduleRecord {
  policy: string;
  shape: string | null;
}

export function schedules(database: Database): Schedules {
  return {
    list: () =>
      database.read('listing the Schedules', async (query) => {
        const rows = await query<ScheduleRecord & { id: string }>(
          'select id, policy, shape from schedules where shape is not null',
        );
        return new Map(rows.map(({ id, ...record }) => [id, record]));
      }),

    record: (changed, mended = []) =>
      database.write('recording the Schedules', async ({ query, audit }) => {
        if (changed.length === 0) return;
        const before = await query<{ id: string; shape: string | null }>(
          'select id, shape from schedules where id = any ($1) for update',
          [changed.map(({ id }) => id)],
        );
        await query(
          `insert into schedules (id, policy, shape)
           select * from unnest($1::text[], $2::text[], $3::text[])
           on conflict (id) do update set policy = excluded.policy, shape = excluded.shape, applied_at = now()`,
          [
            changed.map(({ id }) => id),
            changed.map(({ policy }) => policy),
            changed.map(({ shape }) => shape),
          ],
        );
        for (const { id, shape } of changed) {
          const known = before.find((one) => one.id === id)?.shape ?? null;
          if (known === shape && !mended.includes(id)) continue;
          const change = shape === null ? 'removed' : known === null ? 'created' : 'changed';
          const action = mended.includes(id) ? 'mended' : change;
          audit({ action: `schedule.${action}`, subject: `schedule/${id}`, details: { shape } });
        }
      }),
  };
}
