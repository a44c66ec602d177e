// What was observed of each repository: made, damaged, mended.

import type { Query } from './connection.ts';
import type { Database } from './database.ts';
import { json } from './storable.ts';

export interface Repositories {
  /** null: neither configured nor ever seen. */
  find(name: string): Promise<RepositoryState | null>;
  list(): Promise<RepositoryState[]>;
  markInitialised(name: string, at: string): Promise<void>;
  /** Adds to the damage known; the next job repairs before it stores. */
  markDamaged(name: string, damage: Omit<RepositoryDamage, 'seenAt'>, at: string): Promise<void>;
  markRepaired(name: string, at: string): Promise<void>;
}

export interface RepositoryState {
  name: string;
  type: string;
  initialisedAt: string | null;
  needsRepair: boolean;
  damage: RepositoryDamage | null;
  repairedAt: string | null;
  orphaned: boolean;
}

/** Engine snapshots and packs found damaged, and the engine's own words. */
export interface RepositoryDamage {
  snapshots: string[];
  packs: string[];
  errors: string[];
  seenAt: string;
}

export function repositories(database: Database): Repositories {
  return {
    find: (name) =>
      database.read(`reading the state of repository ${name}`, async (query) => {
        const [row] = await query<RepositoryState>(`select ${COLUMNS} from repositories where name = $1`, [
          name,
        ]);
        return row ?? null;
      }),

    list: () =>
      database.read('listing repositories', (query) =>
        query<RepositoryState>(`select ${COLUMNS} from repositories order by name`),
      ),

    markInitialised: (name, at) =>
      database.write(`recording that repository ${name} is there`, async ({ query, audit }) => {
        await ensureRow(query, name);
        const first = await query(
          `update repositories set initialised_at = $2 where name = $1 and initialised_at is null returning name`,
          [name, at],
        );
        if (first.length > 0)
          audit({ action: 'repository.initialised', subject: `repository/${name}`, details: {} });
      }),

    markDamaged: (name, damage, at) =>
      database.write(`recording damage of repository ${name}`, async ({ query, audit }) => {
        await ensureRow(query, name);
        const [before] = await query<{ needsRepair: boolean; damage: RepositoryDamage | null }>(
          `select needs_repair as "needsRepair", damage from repositories where name = $1 for update`,
          [name],
        );
        const known = before?.needsRepair ? before.damage : null;
        const all = added(known, damage, at);
        await query('update repositories set needs_repair = true, damage = $2 where name = $1', [
          name,
          json(all),
        ]);
        if (known && extent(known) === extent(all)) return;
        const { snapshots, packs } = all;
        audit({ action: 'repository.damaged', subject: `repository/${name}`, details: { snapshots, packs } });
      }),

    markRepaired: (name, at) =>
      database.write(`recording the repair of repository ${name}`, async ({ query, audit }) => {
        const repaired = await query(
          `update repositories set needs_repair = false, damage = null, repaired_at = $2
            where name = $1 and needs_repair returning name`,
          [name, at],
        );
        if (repaired.length > 0)
          audit({ action: 'repository.repaired', subject: `repository/${name}`, details: {} });
      }),
  };
}

const COLUMNS = `name, coalesce(type, '') as type, initialised_at as "initialisedAt",
  needs_repair as "needsRepair", damage, repaired_at as "repairedAt",
  definition is null or orphaned_at is not null as orphaned`;

/** A repository can be seen before it is in an applied configuration: `recover` starts from one. */
async function ensureRow(query: Query, name: string): Promise<void> {
  await query('insert into repositories (name) values ($1) on conflict do nothing', [name]);
}

/** Words are kept in moderation: a large repository can have more of them than anyone reads. */
const KEPT_ERRORS = 50;

function added(
  known: RepositoryDamage | null,
  damage: Omit<RepositoryDamage, 'seenAt'>,
  at: string,
): RepositoryDamage {
  const union = (left: string[] = [], right: string[]) => [...new Set([...left, ...right])].sort();
  return {
    snapshots: union(known?.snapshots, damage.snapshots),
    packs: union(known?.packs, damage.packs),
    errors: union(known?.errors, damage.errors).slice(0, KEPT_ERRORS),
    seenAt: at,
  };
}

function extent({ snapshots, packs }: RepositoryDamage): string {
  return JSON.stringify([snapshots, packs]);
}
