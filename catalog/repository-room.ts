// How full each repository was when it was last looked at, on which side of its watermarks it is, and how much
// it holds.

import { roomWords, type Room, type Watermark } from '../domain/guards/watermark.ts';
import type { Database } from './database.ts';

export interface RepositoryRooms {
  find(repository: string): Promise<RepositoryRoom | null>;
  list(): Promise<RepositoryRoom[]>;
  /** Figures are replaced; a change of the watermark goes on the audit chain. */
  note(
    repository: string,
    room: Room & { freeBytes: number; watermark: Watermark },
    at: string,
  ): Promise<void>;
  /**
   * What was last measured by then (`objectives.recordSize`), and what was sent since; `measuredAt` null: it never
   * was measured.
   */
  size(repository: string, by: string): Promise<{ bytes: number; measuredAt: string | null }>;
}

export interface RepositoryRoom extends Room {
  repository: string;
  watermark: Watermark;
  since: string;
  freeBytes: number;
  measuredAt: string;
}

export function repositoryRooms(database: Database): RepositoryRooms {
  return {
    find: (repository) =>
      database.read(`reading the room of ${repository}`, async (query) => {
        const [row] = await query<RepositoryRoom>(
          `select ${COLUMNS} from repository_room where repository = $1`,
          [repository],
        );
        return row ?? null;
      }),

    list: () =>
      database.read('reading the room of repositories', (query) =>
        query<RepositoryRoom>(`select ${COLUMNS} from repository_room order by repository`),
      ),

    note: (repository, room, at) =>
      database.write(`recording the room of ${repository}`, async ({ query, audit }) => {
        const { watermark, usedBytes, capacityBytes, freeBytes } = room;
        const [before] = await query<{ watermark: Watermark }>(
          'select watermark from repository_room where repository = $1 for update',
          [repository],
        );
        await query(
          `insert into repository_room as kept
             (repository, watermark, since, used_bytes, capacity_bytes, free_bytes, measured_at)
           values ($1, $2, $3, $4, $5, $6, $3)
           on conflict (repository) do update set
             since = case when kept.watermark = excluded.watermark then kept.since else excluded.since end,
             watermark = excluded.watermark, used_bytes = excluded.used_bytes,
             capacity_bytes = excluded.capacity_bytes, free_bytes = excluded.free_bytes,
             measured_at = excluded.measured_at`,
          [repository, watermark, at, usedBytes, capacityBytes, freeBytes],
        );
        if ((before?.watermark ?? 'normal') === watermark) return;
        const action = watermark === 'high' ? 'repository.watermarkReached' : 'repository.watermarkLifted';
        const details = { usedBytes, capacityBytes, words: roomWords(room) };
        audit({ action, subject: `repository/${repository}`, details });
      }),

    size: (repository, by) =>
      database.read(`reading the size of ${repository}`, async (query) => {
        const [row] = await query<{ bytes: number; measuredAt: string | null }>(
          `select (coalesce(size.stored_bytes, 0) + coalesce((
                    select sum(bytes) from uploads
                     where repository = $1 and ended_at > coalesce(size.at, '-infinity')), 0))::bigint as bytes,
                  size.at as "measuredAt"
             from (select 1) as one
             left join (select at, stored_bytes from repository_sizes
                         where repository = $1 and at <= $2 order by day desc limit 1) as size on true`,
          [repository, by],
        );
        return row ?? { bytes: 0, measuredAt: null };
      }),
  };
}

const COLUMNS = `repository, watermark, since, used_bytes as "usedBytes", capacity_bytes as "capacityBytes",
  free_bytes as "freeBytes", measured_at as "measuredAt"`;
