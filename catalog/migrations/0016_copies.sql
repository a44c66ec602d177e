-- Up Migration

-- A sync brings one copy of one policy up to date, and no two do so at once.
alter table jobs add column repository text;
create unique index jobs_one_sync_per_copy on jobs (policy, repository)
  where type = 'sync' and status in ('running', 'waiting');

-- How the last attempt at sending an asset there ended, be it made with a backup or by a sync.
create table copy_attempts (
  asset text not null,
  repository text not null,
  job_id uuid not null,
  point_id uuid not null,
  at timestamptz(3) not null,
  error jsonb,
  primary key (asset, repository)
);
