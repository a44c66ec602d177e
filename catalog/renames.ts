// What was renamed takes its history along: every row that names the asset or policy gets the new name, in the
// transaction of the `apply` that says so. The engine's snapshots keep their old labels; points are found in a
// repository by their id.

import type { Configuration } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { Query } from './connection.ts';
import type { Transaction } from './database.ts';

export interface Rename {
  from: string;
  to: string;
}

export interface Renames {
  assets: Rename[];
  policies: Rename[];
}

/** Those still to be done: afterwards nothing has the old name any more, and the same `apply` finds none. */
export async function pendingRenames(query: Query, configuration: Configuration): Promise<Renames> {
  const known = async (table: 'assets' | 'policies', renames: Rename[]) => {
    if (renames.length === 0) return [];
    const rows = await query<{ name: string }>(`select distinct name from ${table} where name = any ($1)`, [
      renames.map(({ from }) => from),
    ]);
    return renames.filter(({ from }) => rows.some(({ name }) => name === from));
  };
  return {
    assets: await known('assets', asked(configuration.assets)),
    policies: await known('policies', asked(configuration.policies)),
  };
}

export async function carryOutRenames(
  transaction: Transaction,
  configuration: Configuration,
  renames: Renames,
): Promise<void> {
  const { query, audit } = transaction;
  for (const rename of renames.assets) {
    const asset = configuration.assets.find(({ name }) => name === rename.to);
    await refuseTwoAssets(query, rename, asset?.type ?? '');
    await refuseWhileUsed(query, rename);
    await renameAsset(query, rename);
    audit({ action: 'asset.renamed', subject: `asset/${rename.to}`, details: { from: rename.from } });
  }
  for (const rename of renames.policies) {
    await refuseWhilePolicyRuns(query, rename);
    await renamePolicy(query, rename);
    audit({ action: 'policy.renamed', subject: `policy/${rename.to}`, details: { from: rename.from } });
  }
}

function asked(items: readonly { name: string; renamedFrom?: string }[]): Rename[] {
  return items.flatMap(({ name: to, renamedFrom: from }) => (from === undefined ? [] : [{ from, to }]));
}

/** Tables that name an asset, and nothing more than one row of which may have a name. */
const NAMING_ASSETS = [
  ['recovery_points', 'asset'],
  ['job_assets', 'asset'],
  ['job_events', 'asset'],
  ['measured_durations', 'asset'],
  ['restores', 'asset'],
  ['uploads', 'asset'],
] as const;

const NAMING_POLICIES = [
  ['recovery_points', 'policy'],
  ['jobs', 'policy'],
] as const;

async function renameAsset(query: Query, { from, to }: Rename): Promise<void> {
  const heir = await query('select from assets where name = $1', [to]);
  // Points follow by their foreign key; the row itself becomes the heir where there is none yet.
  if (heir.length === 0) await query('update assets set name = $2 where name = $1', [from, to]);
  for (const [table, column] of NAMING_ASSETS) {
    await query(`update ${table} set ${column} = $2 where ${column} = $1`, [from, to]);
  }
  await query(
    `insert into sync_state as kept (asset, repository, point_id, taken_at, stored_at, proven_at)
     select $2, repository, point_id, taken_at, stored_at, proven_at from sync_state where asset = $1
     on conflict (asset, repository) do update set
       point_id = case when excluded.taken_at > kept.taken_at then excluded.point_id else kept.point_id end,
       stored_at = case when excluded.taken_at > kept.taken_at then excluded.stored_at else kept.stored_at end,
       taken_at = greatest(excluded.taken_at, kept.taken_at),
       proven_at = greatest(excluded.proven_at, kept.proven_at)`,
    [from, to],
  );
  await moveDays(query, 'asset', { from, to });
  await query('delete from sync_state where asset = $1', [from]);
  if (heir.length > 0) await query('delete from assets where name = $1', [from]);
}

/** Versions go on counting where the new name has some already. */
async function renamePolicy(query: Query, { from, to }: Rename): Promise<void> {
  await query(
    `update policies set is_current = false, retired_at = coalesce(retired_at, now())
      where name = $1 and exists (select from policies where name = $2)`,
    [from, to],
  );
  await query(
    `update policies set name = $2,
       version = version + (select coalesce(max(version), 0) from policies where name = $2)
      where name = $1`,
    [from, to],
  );
  for (const [table, column] of NAMING_POLICIES) {
    await query(`update ${table} set ${column} = $2 where ${column} = $1`, [from, to]);
  }
  await moveDays(query, 'policy', { from, to });
  // Its Schedules are made anew under the new name, and have to stand still there as well.
  await query(
    `update policy_pauses set resumed_at = now(), resumed_by = 'apply', resume_reason = 'renamed to ' || $2
      where policy = $1 and resumed_at is null
        and exists (select from policy_pauses where policy = $2 and resumed_at is null)`,
    [from, to],
  );
  await query('update policy_pauses set policy = $2 where policy = $1', [from, to]);
}

const COUNTED = `backups_succeeded backups_failed backups_cancelled backups_missed validations_succeeded
  validations_failed points added_bytes store_runs store_milliseconds rehearse_runs rehearse_milliseconds`;

/**
 * Of the renamed rows some moved their counts along by their triggers, others not: what is left under the old name
 * goes to the new one, so that the sum over both stays as it was.
 */
async function moveDays(query: Query, column: 'asset' | 'policy', { from, to }: Rename): Promise<void> {
  const counted = COUNTED.split(/\s+/);
  const place = column === 'asset' ? '$2, policy' : 'asset, $2';
  await query(
    `select count_in_asset_day(${place}, day, ${counted.join(', ')}) from asset_days where ${column} = $1`,
    [from, to],
  );
  await query(
    `update asset_days set ${counted.map((name) => `${name} = 0`).join(', ')} where ${column} = $1`,
    [from],
  );
}

/** Points of one type cannot be restored as another, and what one job backed up twice was never one thing. */
async function refuseTwoAssets(query: Query, { from, to }: Rename, type: string): Promise<void> {
  const [before] = await query<{ type: string }>('select type from assets where name = $1', [from]);
  const [common] = await query<{ id: string }>(
    `select one.job_id as id from job_assets as one
       join job_assets as other on other.job_id = one.job_id and other.asset = $2
      where one.asset = $1 limit 1`,
    [from, to],
  );
  const cause =
    before && before.type !== type
      ? `${from} is a ${before.type} asset, ${to} is a ${type} asset`
      : common && `job ${common.id} backed up both of them`;
  if (!cause) return;
  throw new HoldfastError({
    code: 'configuration.invalid',
    message: `asset ${from} was not renamed to ${to}`,
    cause,
    hint: `they are two assets: take renamedFrom out; the points of ${from} stay, as orphaned`,
  });
}

/** A job goes on under the names it was begun with: it would find its asset gone. */
async function refuseWhileUsed(query: Query, { from, to }: Rename): Promise<void> {
  const [job] = await query<{ workflowId: string }>(
    `select workflow_id as "workflowId" from jobs join job_assets on job_id = jobs.id
      where asset = $1 and jobs.status in ('running', 'waiting') limit 1`,
    [from],
  );
  const [restore] = await query<{ id: string }>(
    `select 'r-' || number as id from restores
      where asset = $1
        and status in ('preparing', 'prepared', 'awaitingApproval', 'committing', 'checking') limit 1`,
    [from],
  );
  const what = job?.workflowId ?? (restore && `restore ${restore.id}`);
  if (what) throw inUse('asset', from, to, what);
}

async function refuseWhilePolicyRuns(query: Query, { from, to }: Rename): Promise<void> {
  const [job] = await query<{ workflowId: string }>(
    `select workflow_id as "workflowId" from jobs
      where policy = $1 and status in ('running', 'waiting') limit 1`,
    [from],
  );
  if (job) throw inUse('policy', from, to, job.workflowId);
}

function inUse(noun: string, from: string, to: string, what: string): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `${noun} ${from} was not renamed to ${to}`,
    cause: `${what} has not ended, and it goes on under the old name`,
    hint: 'wait for its end (`holdfast jobs list --status running`, `holdfast restore list`), then apply again',
  });
}
