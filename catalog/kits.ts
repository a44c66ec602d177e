// Recovery kits: when each was written, for whom it is sealed, whether somebody has put it in the place of the one
// before, and since when it does not say what is true any more.

import { HoldfastError } from '../domain/errors.ts';
import type { Query } from './connection.ts';
import type { Database } from './database.ts';

export interface WrittenKit {
  id: string;
  writtenAt: string;
  writtenBy: string;
  /** Of what it says. */
  digest: string;
  /** SHA-256 of the sealed file. */
  sealedDigest: string;
  /** Digest of the configuration it was written for. */
  configuration: string;
  folder: string;
  /** In words; no key stands in them. */
  sealedFor: string[];
  confirmedAt: string | null;
  confirmedBy: string | null;
  outdatedAt: string | null;
}

export interface NewKit extends Omit<WrittenKit, 'writtenBy' | 'confirmedAt' | 'confirmedBy' | 'outdatedAt'> {
  /** References of the secrets in it. */
  opened: string[];
}

export interface Kits {
  newest(): Promise<WrittenKit | null>;
  /** By id, not confirmed; written again under the same id, what was written last counts. */
  record(kit: NewKit): Promise<WrittenKit>;
  /** Somebody has the newest one where it belongs. `notFound` where there is none, `request.conflict` where it is outdated. */
  confirm(at: string): Promise<WrittenKit>;
  /** `digest`: of what a kit would say now. */
  outdated(id: string, digest: string, at: string): Promise<void>;
}

export function kits(database: Database): Kits {
  return {
    newest: () => database.read('looking for the newest recovery kit', newestKit),

    record: (kit) =>
      database.write('recording a recovery kit', async ({ query, audit }) => {
        const { actor } = database;
        await query(
          `insert into kits (id, written_at, written_by, digest, sealed_digest, configuration, folder, sealed_for)
           values ($1, $2, $3, $4, $5, $6, $7, $8)
           on conflict (id) do update set written_at = excluded.written_at, digest = excluded.digest,
             sealed_digest = excluded.sealed_digest, configuration = excluded.configuration,
             sealed_for = excluded.sealed_for, confirmed_at = null, confirmed_by = null`,
          [
            ...[kit.id, kit.writtenAt, actor, kit.digest, kit.sealedDigest, kit.configuration, kit.folder],
            kit.sealedFor,
          ],
        );
        const { digest, sealedDigest, folder, sealedFor, opened } = kit;
        audit({
          action: 'kit.written',
          subject: `kit/${kit.id}`,
          details: { digest, sealedDigest, folder, sealedFor, opened },
        });
        return (await newestKit(query))!;
      }),

    confirm: (at) =>
      database.write('confirming the recovery kit', async ({ query, audit }) => {
        const kit = await newestKit(query);
        if (!kit || kit.outdatedAt !== null) throw notConfirmed(kit);
        if (kit.confirmedAt !== null) return kit;
        await query('update kits set confirmed_at = $2, confirmed_by = $3 where id = $1', [
          kit.id,
          at,
          database.actor,
        ]);
        const details = { digest: kit.digest, sealedDigest: kit.sealedDigest };
        audit({ action: 'kit.confirmed', subject: `kit/${kit.id}`, details });
        return { ...kit, confirmedAt: at, confirmedBy: database.actor };
      }),

    outdated: (id, digest, at) =>
      database.write('noting that the recovery kit is outdated', async ({ query, audit }) => {
        const changed = await query(
          'update kits set outdated_at = $2 where id = $1 and outdated_at is null returning id',
          [id, at],
        );
        if (changed.length > 0) audit({ action: 'kit.outdated', subject: `kit/${id}`, details: { digest } });
      }),
  };
}

async function newestKit(query: Query): Promise<WrittenKit | null> {
  const [row] = await query<WrittenKit>(
    `select id, written_at as "writtenAt", written_by as "writtenBy", digest, sealed_digest as "sealedDigest",
            configuration, folder, sealed_for as "sealedFor", confirmed_at as "confirmedAt",
            confirmed_by as "confirmedBy", outdated_at as "outdatedAt"
       from kits order by written_at desc, id desc limit 1`,
  );
  return row ?? null;
}

function notConfirmed(kit: WrittenKit | null): HoldfastError {
  return new HoldfastError({
    code: kit ? 'request.conflict' : 'notFound',
    message: kit ? 'the recovery kit was not confirmed' : 'there is no recovery kit to confirm',
    cause: kit ? `since ${kit.outdatedAt} it does not say what is true any more` : 'none was ever written',
    hint: 'write one with `holdfast kit export`',
  });
}
