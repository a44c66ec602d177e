-- Up Migration

-- Times are kept to the millisecond: what is read back is what JavaScript wrote, and a cursor is exact.

create table configurations (
  id bigint generated always as identity primary key,
  digest text not null,
  -- References to secrets, never secrets.
  document jsonb not null,
  applied_at timestamptz(3) not null default now(),
  applied_by text not null
);

create table sites (
  name text primary key,
  definition jsonb not null,
  orphaned_at timestamptz(3)
);

-- Every asset that was ever configured or has a recovery point; of the latter, only the type is known.
create table assets (
  name text primary key,
  site text references sites,
  type text not null,
  data_class text check (data_class in ('critical', 'standard', 'rebuildable')),
  definition jsonb,
  first_seen_at timestamptz(3) not null default now(),
  orphaned_at timestamptz(3),
  check (orphaned_at is not null or (site is not null and data_class is not null and definition is not null))
);

create table repositories (
  name text primary key,
  -- null: seen in a copy, in no configuration.
  type text,
  definition jsonb,
  initialised_at timestamptz(3),
  needs_repair boolean not null default false,
  damage jsonb,
  repaired_at timestamptz(3),
  orphaned_at timestamptz(3)
);

-- One row per change; a policy that left the configuration has no current row.
create table policies (
  name text not null,
  version integer not null,
  definition jsonb not null,
  assets text[] not null,
  is_current boolean not null,
  configuration_id bigint not null references configurations,
  since timestamptz(3) not null default now(),
  retired_at timestamptz(3),
  primary key (name, version)
);
create unique index policies_current on policies (name) where is_current;

create table jobs (
  id uuid primary key,
  workflow_id text not null,
  type text not null
    check (type in ('preflight', 'backup', 'sync', 'retention', 'verify', 'restore', 'drill')),
  policy text,
  trigger text not null,
  status text not null
    check (status in ('running', 'waiting', 'success', 'warning', 'failed', 'cancelled')),
  started_at timestamptz(3) not null,
  ended_at timestamptz(3),
  error jsonb,
  check ((ended_at is null) = (status in ('running', 'waiting')))
);
create unique index jobs_one_backup_per_policy on jobs (policy)
  where type = 'backup' and status in ('running', 'waiting');
create index jobs_newest on jobs (started_at desc, id desc);
create index jobs_newest_of_policy on jobs (policy, started_at desc, id desc);
create index jobs_open on jobs (started_at desc, id desc) where status in ('running', 'waiting');
create index jobs_workflow on jobs (workflow_id);

create table job_assets (
  job_id uuid not null references jobs on delete cascade,
  asset text not null,
  position integer not null,
  -- The job's own, repeated here for the newest job of an asset.
  job_type text not null,
  job_started_at timestamptz(3) not null,
  status text not null default 'pending'
    check (status in ('pending', 'running', 'success', 'failed', 'skipped')),
  recovery_point_id uuid,
  proof text check (proof in ('stored', 'verified', 'proven', 'damaged')),
  error jsonb,
  notes text[] not null default '{}',
  progress jsonb,
  fence integer not null default 0,
  primary key (job_id, asset)
  -- Room on each page, so that progress is updated in place.
) with (fillfactor = 70);
create index job_assets_newest on job_assets (asset, job_type, job_started_at desc);

create table job_events (
  job_id uuid not null references jobs on delete cascade,
  sequence integer not null,
  at timestamptz(3) not null,
  level text not null check (level in ('info', 'warning', 'error')),
  asset text,
  step text not null,
  message text not null,
  primary key (job_id, sequence)
);
create index job_events_at on job_events (job_id, at);

create table recovery_points (
  id uuid primary key,
  asset text not null references assets,
  asset_type text not null,
  policy text,
  job_id uuid references jobs on delete set null,
  kind text not null check (kind in ('regular', 'safety', 'system')),
  taken_at timestamptz(3) not null,
  method text not null,
  -- Follows from the copies (domain/proof.ts); kept for the indexes.
  proof text not null check (proof in ('stored', 'verified', 'proven', 'damaged')),
  bytes bigint not null,
  added_bytes bigint not null,
  manifest jsonb,
  recorded_at timestamptz(3) not null default now()
);
-- Law 3: exactly one recovery point per asset per job.
create unique index recovery_points_one_per_job on recovery_points (job_id, asset, kind)
  where job_id is not null;
create index recovery_points_newest on recovery_points (kind, taken_at desc, id desc);
create index recovery_points_newest_any on recovery_points (taken_at desc, id desc);
create index recovery_points_of_asset on recovery_points (asset, kind, taken_at desc, id desc);
create index recovery_points_of_policy on recovery_points (policy, kind, taken_at desc, id desc);
create index recovery_points_whole on recovery_points (asset, taken_at desc, id desc)
  where kind = 'regular' and proof <> 'damaged';
create index recovery_points_verified on recovery_points (asset, taken_at desc, id desc)
  where kind = 'regular' and proof in ('verified', 'proven');
create index recovery_points_proven on recovery_points (asset, taken_at desc, id desc)
  where kind = 'regular' and proof = 'proven';
create index recovery_points_damaged on recovery_points (asset, taken_at desc, id desc)
  where proof = 'damaged';

create table point_copies (
  point_id uuid not null references recovery_points on delete cascade,
  repository text not null,
  artifact_id text not null,
  parts jsonb not null,
  snapshot_ids text[] not null,
  stored_at timestamptz(3) not null,
  verified_at timestamptz(3),
  proven_at timestamptz(3),
  damaged_at timestamptz(3),
  proof text not null check (proof in ('stored', 'verified', 'proven', 'damaged')),
  primary key (point_id, repository)
);
create index point_copies_of_repository on point_copies (repository, stored_at desc);
create index point_copies_snapshots on point_copies using gin (snapshot_ids);
create index point_copies_damaged on point_copies (point_id) where proof = 'damaged';

-- How far each repository is for each asset: its newest point there.
create table sync_state (
  asset text not null,
  repository text not null,
  point_id uuid not null,
  taken_at timestamptz(3) not null,
  stored_at timestamptz(3) not null,
  -- When a copy of the asset there was last restored and found right.
  proven_at timestamptz(3),
  primary key (asset, repository)
);

create table restores (
  number bigint generated always as identity primary key,
  request_id text not null unique,
  asset text not null,
  point text not null,
  point_taken_at timestamptz(3),
  repository text,
  target text not null,
  include text[] not null,
  status text not null default 'preparing'
    check (status in ('preparing', 'prepared', 'awaitingApproval', 'committing', 'checking',
      'completed', 'rolledBack', 'cancelled', 'expired', 'failed')),
  validation jsonb,
  impact jsonb,
  estimate_seconds double precision,
  measured_seconds double precision,
  safety_point_id uuid,
  expires_at timestamptz(3),
  created_at timestamptz(3) not null default now(),
  ended_at timestamptz(3),
  error jsonb
);
create index restores_of_asset on restores (asset, number desc);
create index restores_open on restores (number desc)
  where status in ('preparing', 'prepared', 'awaitingApproval', 'committing', 'checking');

create table idempotency_keys (
  key text primary key,
  request_digest text not null,
  result_kind text not null check (result_kind in ('job', 'restore')),
  result_id text not null,
  created_at timestamptz(3) not null default now()
);

create table api_tokens (
  id bigint generated always as identity primary key,
  name text not null,
  role text not null check (role in ('viewer', 'operator', 'approver', 'admin')),
  -- SHA-256 of 256 random bits: nothing to guess, so no salt.
  hash text not null unique,
  created_at timestamptz(3) not null default now(),
  revoked_at timestamptz(3)
);
create unique index api_tokens_valid_name on api_tokens (name) where revoked_at is null;

create table measured_durations (
  run text not null,
  asset text not null,
  step text not null,
  seconds double precision not null,
  bytes bigint not null,
  ended_at timestamptz(3) not null,
  primary key (run, asset, step)
);
create index measured_durations_newest on measured_durations (asset, step, ended_at desc);
