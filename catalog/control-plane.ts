// What is known of the control plane's own recovery points, and of repositories that were found in an older state
// than was stored there.

import type { ControlPlaneState, StoredControlPlane } from '../domain/control-plane/due.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import type { Query } from './connection.ts';
import type { Database } from './database.ts';

export interface ControlPlaneRecords {
  /** One for each repository, in their order. */
  states(repositories: readonly string[]): Promise<ControlPlaneState[]>;
  /** What was stored there last, by its engine snapshots: of the control plane, and of all. Without damaged copies. */
  storedLast(repository: string): Promise<{ pointId: string; snapshotIds: string[] }[]>;
  /**
   * Points with a copy stored there before that time, made of snapshots that are not among these; newest first. Without
   * damaged copies, but for those that an open rollback names: only a person says that these are gone.
   */
  missing(repository: string, snapshotIds: readonly string[], storedBefore: string): Promise<MissingPoint[]>;
  /** Stays open until it is accepted; found again meanwhile, what is missing now takes the place of what was. */
  rolledBack(repository: string, found: { pointId: string; missing: readonly string[] }): Promise<void>;
  /** Open ones. */
  rollbacks(): Promise<Rollback[]>;
  /** A person says that this is how the repository is. Returns the rollback; `notFound` where none is open. */
  acceptRollback(repository: string, reason: string): Promise<Rollback>;
}

type MissingPoint = Pick<RecoveryPoint, 'id' | 'asset' | 'kind' | 'takenAt'>;

export interface Rollback {
  repository: string;
  foundAt: string;
  /** Of those that were stored there last, one that was not there any more. */
  pointId: string;
  /** By their ids, newest first. */
  missing: string[];
}

export function controlPlaneRecords(database: Database): ControlPlaneRecords {
  return {
    states: (repositories) =>
      database.read('reading where the control plane is stored', async (query) => {
        const states: ControlPlaneState[] = [];
        for (const repository of repositories) states.push(await stateOf(query, repository));
        return states;
      }),

    storedLast: (repository) =>
      database.read(`looking for what was stored last in ${repository}`, async (query) => {
        const last = (kind: string | null) =>
          query<{ pointId: string; snapshotIds: string[] }>(
            `select point.id as "pointId", snapshot_ids as "snapshotIds"
               from recovery_points as point join point_copies as copy on copy.point_id = point.id
              where repository = $1 and copy.proof <> 'damaged' and removing_since is null
                and ($2::text is null or kind = $2)
              order by stored_at desc limit 1`,
            [repository, kind],
          );
        return [...(await last('system')), ...(await last(null))];
      }),

    missing: (repository, snapshotIds, storedBefore) =>
      database.read(`comparing ${repository} with the catalogue`, (query) =>
        query<MissingPoint>(
          `select point.id, asset, kind, taken_at as "takenAt"
             from recovery_points as point join point_copies as copy on copy.point_id = point.id
            where repository = $1 and removing_since is null
              and (copy.proof <> 'damaged' or point.id in (
                    select unnest(missing) from repository_rollbacks where repository = $1 and accepted_at is null))
              and stored_at < $3 and exists (select from unnest(snapshot_ids) as own (id)
                           where not exists (select from unnest($2::text[]) as there (id) where there.id = own.id))
            order by taken_at desc, point.id desc`,
          [repository, snapshotIds, storedBefore],
        ),
      ),

    rolledBack: (repository, { pointId, missing }) =>
      database.write(`recording that ${repository} was rolled back`, async ({ query, audit, at }) => {
        const [open] = await query<{ missing: string[] }>(
          'select missing from repository_rollbacks where repository = $1 and accepted_at is null for update',
          [repository],
        );
        if (open && sameMembers(open.missing, missing)) return;
        await query(
          `insert into repository_rollbacks as kept (repository, found_at, point_id, missing)
           values ($1, $2, $3, $4::uuid[])
           on conflict (repository) where accepted_at is null do update set missing = excluded.missing`,
          [repository, at, pointId, missing],
        );
        const details = { point: pointId, count: missing.length, missing: missing.slice(0, NAMED) };
        audit({ action: 'repository.rolledBack', subject: `repository/${repository}`, details });
      }),

    rollbacks: () => database.read('looking for repositories that were rolled back', (query) => open(query)),

    acceptRollback: (repository, reason) =>
      database.write(`accepting the state of ${repository}`, async ({ query, audit, at }) => {
        const [rollback] = await open(query, repository);
        if (!rollback) throw notRolledBack(repository);
        await query(
          `update repository_rollbacks set accepted_at = $2, accepted_by = $3, accepted_reason = $4
            where repository = $1 and accepted_at is null`,
          [repository, at, database.actor, reason],
        );
        const details = { reason, count: rollback.missing.length, missing: rollback.missing.slice(0, NAMED) };
        audit({ action: 'repository.rollbackAccepted', subject: `repository/${repository}`, details });
        return rollback;
      }),
  };
}

function sameMembers(one: readonly string[], other: readonly string[]): boolean {
  const members = new Set(one);
  return members.size === other.length && other.every((id) => members.has(id));
}

/** The rest is in the row. */
const NAMED = 1_000;

async function stateOf(query: Query, repository: string): Promise<ControlPlaneState> {
  const stored = await newest(query, repository);
  const [row] = await query<
    Omit<ControlPlaneState, 'stored' | 'movedOnAt' | 'configuration'> & Configuration
  >(
    `select given.name as repository, repositories.initialised_at as "initialisedAt",
            (select jsonb_build_object('jobId', id, 'endedAt', ended_at, 'error', error) from jobs
              where type = 'controlPlane' and repository = given.name and ended_at is not null
                and status <> 'cancelled' order by started_at desc limit 1) as last,
            (select jsonb_build_object('jobId', id, 'startedAt', started_at) from jobs
              where type = 'controlPlane' and repository = given.name and ended_at is null limit 1) as open,
            coalesce((select max(sequence) from evidence), 0) as evidence,
            coalesce(applied.digest, '') as digest, coalesce(applied.applied_at, now()) as "appliedAt"
       from (select $1::text as name) as given
       left join repositories on repositories.name = given.name
       left join lateral (select digest, applied_at from configurations order by id desc limit 1) as applied on true`,
    [repository],
  );
  const { digest = '', appliedAt = '', ...state } = row!;
  return {
    ...state,
    stored,
    movedOnAt: stored && (await movedOnAt(query, stored.auditSequence)),
    configuration: { digest, appliedAt },
  };
}

interface Configuration {
  digest: string;
  appliedAt: string;
}

async function newest(query: Query, repository: string): Promise<StoredControlPlane | null> {
  const [row] = await query<StoredControlPlane>(
    `select point.id as "pointId", copy.artifact_id as "snapshotId", taken_at as "takenAt",
            coalesce((manifest #>> '{audit,sequence}')::bigint, 0) as "auditSequence",
            coalesce((manifest #>> '{evidence,sequence}')::bigint, 0) as "evidenceSequence",
            manifest ->> 'configurationDigest' as "configurationDigest"
       from recovery_points as point join point_copies as copy on copy.point_id = point.id
      where kind = 'system' and repository = $1 and copy.proof <> 'damaged'
        and removing_since is null and removed_at is null
      order by taken_at desc, point.id desc limit 1`,
    [repository],
  );
  return row ?? null;
}

/**
 * What storing the control plane leaves on the chain does not call for storing it again: the events of its jobs, of
 * the points they made, and what retention did with those.
 */
async function movedOnAt(query: Query, after: number): Promise<string | null> {
  const [row] = await query<{ at: string }>(
    `select at from audit_events as event where sequence > $1
        and not exists (select from jobs where type = 'controlPlane' and id = ${idIn('job')})
        and not exists (select from recovery_points where kind = 'system' and id = ${idIn('point')})
      order by sequence limit 1`,
    [after],
  );
  return row?.at ?? null;
}

/** As a UUID, so that an index answers; null where the subject is something else. */
function idIn(noun: string): string {
  return `case when event.subject ~ '^${noun}/[0-9a-f-]{36}$' then split_part(event.subject, '/', 2)::uuid end`;
}

async function open(query: Query, repository: string | null = null): Promise<Rollback[]> {
  return query<Rollback>(
    `select repository, found_at as "foundAt", point_id as "pointId", missing from repository_rollbacks
      where accepted_at is null and ($1::text is null or repository = $1) order by repository`,
    [repository],
  );
}

function notRolledBack(repository: string): HoldfastError {
  return new HoldfastError({
    code: 'notFound',
    message: `there is nothing to accept of repository ${repository}`,
    cause: 'it was not found in an older state than was stored there, or that was accepted before',
    hint: '`holdfast control-plane list` shows where it was',
  });
}
