// What was seen of a repository when it was first reached in a certain way, so that it is not looked at in each run.

import type { Database } from './database.ts';

export type Look = 'chunker' | 'crypt';

export interface RepositoryLooks {
  /** null: it was never looked at in this way. */
  find(repository: string, what: Look, way: string): Promise<string | null>;
  record(look: { repository: string; what: Look; way: string; found: string; at: string }): Promise<void>;
}

export function repositoryLooks(database: Database): RepositoryLooks {
  return {
    find: (repository, what, way) =>
      database.read(`looking up what is known of ${repository}`, async (query) => {
        const [row] = await query<{ found: string }>(
          'select found from repository_looks where repository = $1 and what = $2 and way = $3',
          [repository, what, way],
        );
        return row?.found ?? null;
      }),

    record: ({ repository, what, way, found, at }) =>
      database.write(`recording what was seen of ${repository}`, async ({ query, audit }) => {
        const changed = await query(
          `insert into repository_looks as kept (repository, what, way, found, at) values ($1, $2, $3, $4, $5)
           on conflict (repository, what) do update set way = excluded.way, found = excluded.found, at = excluded.at
           where (kept.way, kept.found) is distinct from (excluded.way, excluded.found) returning what`,
          [repository, what, way, found, at],
        );
        if (changed.length === 0) return;
        audit({ action: 'repository.looked', subject: `repository/${repository}`, details: { what, found } });
      }),
  };
}
