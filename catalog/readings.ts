// When the bytes of each repository were last read back, group by group, and what a whole cycle of readings says
// of the copies there.

import type { GroupReading, ReadingFacts } from '../domain/verification/plan.ts';
import type { Database } from './database.ts';

export interface Readings {
  /** In the order asked for; also of repositories that nothing is known of. */
  facts(repositories: readonly string[]): Promise<ReadingFacts[]>;
  /** Before the first reading. A second time changes nothing. */
  begin(repository: string, at: string): Promise<void>;
  /** The last one counts, also where its time is earlier: the clock may have been set right. */
  record(reading: NewReading): Promise<void>;
  /** Copies stored before this whose proof a reading of all their bytes at that time can lift. Oldest first. */
  liftable(repository: string, before: string, limit: number): Promise<string[]>;
  /**
   * Ends the cycle that began then, of which no group was damaged: every copy stored before it was read back since.
   * The next begins at `at`. A cycle that is over already is left as it is.
   */
  endCycle(repository: string, beganAt: string, at: string): Promise<void>;
  /** When each asset was last restored in a sandbox and found right. */
  lastProofs(assets: readonly string[]): Promise<Map<string, string>>;
}

export interface NewReading extends GroupReading {
  repository: string;
  jobId: string | null;
}

export function readings(database: Database): Readings {
  return {
    facts: (repositories) =>
      database.read('reading when the repositories were read back', async (query) => {
        const rows = await query<ReadingFacts>(FACTS, [repositories]);
        return rows;
      }),

    begin: (repository, at) =>
      database.write(`beginning to read back repository ${repository}`, async ({ query, audit }) => {
        const begun = await query(
          `insert into repository_reading_cycles (repository, reading_since, began_at) values ($1, $2, $2)
           on conflict do nothing returning repository`,
          [repository, at],
        );
        if (begun.length === 0) return;
        audit({ action: 'repository.readingBegun', subject: `repository/${repository}`, details: { at } });
      }),

    record: ({ repository, groups, group, readAt, ok, jobId }) =>
      database.write(`recording a reading of repository ${repository}`, async ({ query, audit }) => {
        const changed = await query(
          `insert into repository_readings as kept (repository, groups, group_number, read_at, ok, job_id)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (repository, groups, group_number) do update set
             read_at = excluded.read_at, ok = excluded.ok, job_id = excluded.job_id
           where (kept.read_at, kept.ok, kept.job_id) is distinct from
                 (excluded.read_at, excluded.ok, excluded.job_id)
           returning group_number`,
          [repository, groups, group, readAt, ok, jobId],
        );
        if (changed.length === 0) return;
        const details = { groups, group, readAt, ok, jobId };
        audit({ action: 'repository.read', subject: `repository/${repository}`, details });
      }),

    liftable: (repository, before, limit) =>
      database.read(`looking for the copies in ${repository} that were read back`, async (query) => {
        const rows = await query<{ point: string }>(
          `select point_id as point from point_copies
            where repository = $1 and proof in ('stored', 'damaged') and ${READ_SINCE}
              and (damaged_at is null or damaged_at < $2)
            order by stored_at, point_id limit $3`,
          [repository, before, limit],
        );
        return rows.map(({ point }) => point);
      }),

    endCycle: (repository, beganAt, at) =>
      database.write(`ending a cycle of readings of ${repository}`, async ({ query, audit }) => {
        const ended = await query(
          `update repository_reading_cycles set began_at = $3, verified_until = $2
            where repository = $1 and began_at = $2 returning repository`,
          [repository, beganAt, at],
        );
        if (ended.length === 0) return;
        // The others were lifted one by one. Of these no proof changes with the time.
        const copies = await query(
          `update point_copies set verified_at = $2
            where repository = $1 and proof in ('verified', 'proven') and ${READ_SINCE} returning point_id`,
          [repository, beganAt],
        );
        const details = { verifiedUntil: beganAt, copies: copies.length };
        audit({ action: 'repository.readWhole', subject: `repository/${repository}`, details });
      }),

    lastProofs: (assets) =>
      database.read('reading when the assets were last proven', async (query) => {
        const rows = await query<{ asset: string; provenAt: string }>(
          `select asset, max(proven_at) as "provenAt" from sync_state
            where asset = any ($1) and proven_at is not null group by asset`,
          [assets],
        );
        return new Map(rows.map(({ asset, provenAt }) => [asset, provenAt]));
      }),
  };
}

/** Its bytes were all there when the cycle of `$2` began, and it does not know of that reading yet. */
const READ_SINCE = `stored_at < $2 and (verified_at is null or verified_at < $2)`;

const FACTS = `
  select asked.repository,
    (select min(stored_at) from point_copies where point_copies.repository = asked.repository) as "firstStoredAt",
    cycles.reading_since as "readingSince", cycles.began_at as "cycleBeganAt",
    (select coalesce(jsonb_agg(jsonb_build_object('groups', groups, 'group', group_number,
              'readAt', to_char(read_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'ok', ok)
              order by groups, group_number), '[]')
       from repository_readings where repository_readings.repository = asked.repository) as readings
  from unnest($1::text[]) with ordinality as asked (repository, position)
  left join repository_reading_cycles as cycles on cycles.repository = asked.repository
  order by asked.position`;
