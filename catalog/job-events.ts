// What a job has to say, numbered in the order it was said.

import type { JobEvent } from '../domain/job.ts';
import type { JobEvents } from './catalog.ts';
import type { Query } from './connection.ts';
import type { Database } from './database.ts';

export function jobEvents(database: Database): JobEvents {
  return {
    append: (jobId, events) =>
      database.write(`keeping what job ${jobId} says`, ({ query }) => appendJobEvents(query, jobId, events)),

    list: (jobId, request = {}) =>
      database.read('reading the events of a job', async (query) => {
        const limit = request.limit ?? 500;
        const rows = await query<JobEvent>(
          `select sequence, at, level, asset, step, message from job_events
            where job_id = $1 and sequence > $2 order by sequence limit $3`,
          [jobId, request.after ?? 0, limit + 1],
        );
        const items = rows.slice(0, limit);
        return { items, next: rows.length > limit ? (items.at(-1)?.sequence ?? null) : null };
      }),
  };
}

/** For a transaction that says something of what it changes. */
export async function appendJobEvents(
  query: Query,
  jobId: string,
  events: readonly Omit<JobEvent, 'sequence'>[],
): Promise<void> {
  if (events.length === 0) return;
  // Two activities of one job may speak at once.
  await query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`job_events/${jobId}`]);
  await query(
    `insert into job_events (job_id, sequence, at, level, asset, step, message)
     select $1, coalesce((select max(sequence) from job_events where job_id = $1), 0)
              + row_number() over (order by position),
            at, level, asset, step, message
       from unnest($2::timestamptz(3)[], $3::text[], $4::text[], $5::text[], $6::text[])
            with ordinality as said (at, level, asset, step, message, position)
      where not exists (
        select from job_events as kept
         where kept.job_id = $1 and kept.at = said.at and kept.asset is not distinct from said.asset
           and kept.step = said.step and kept.message = said.message)`,
    [
      jobId,
      events.map((event) => event.at),
      events.map((event) => event.level),
      events.map((event) => event.asset),
      events.map((event) => event.step),
      events.map((event) => event.message),
    ],
  );
}
