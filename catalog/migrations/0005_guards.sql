-- Up Migration

-- What was sent to a repository by each attempt at a store or a copy. Counted into budget days by time: a send
-- that lasted over a reset belongs to both days, in proportion.
create table uploads (
  -- A job's id, or a restore's.
  run text not null,
  asset text not null,
  repository text not null,
  step text not null check (step in ('store', 'copy')),
  attempt integer not null,
  bytes bigint not null default 0,
  -- begun: under way, or its worker died; estimated: it failed, nobody has looked; found: what it left was found.
  measured text not null default 'begun' check (measured in ('begun', 'estimated', 'found', 'sent')),
  started_at timestamptz(3) not null,
  ended_at timestamptz(3),
  primary key (run, asset, repository, step, attempt)
);
create index uploads_of_repository on uploads (repository, ended_at desc);
create index uploads_of_asset on uploads (asset, repository, ended_at desc) where measured = 'sent';

-- What a job may still send today: taken before it begins, so that two at once do not both take what is left.
create table upload_reservations (
  job_id uuid not null references jobs on delete cascade,
  asset text not null,
  repository text not null,
  expected bigint not null,
  reserved_at timestamptz(3) not null,
  settled_at timestamptz(3),
  primary key (job_id, asset, repository)
);
create index upload_reservations_open on upload_reservations (repository) where settled_at is null;

-- Sends that wait for a budget. A job with an open one is `waiting`.
create table upload_waits (
  job_id uuid not null references jobs on delete cascade,
  asset text not null,
  repository text not null,
  expected bigint not null,
  since timestamptz(3) not null,
  until timestamptz(3) not null,
  ended_at timestamptz(3),
  primary key (job_id, asset, repository)
);
create index upload_waits_open on upload_waits (repository) where ended_at is null;

-- What was last measured of each repository's room, and on which side of its watermarks it is.
create table repository_room (
  repository text primary key,
  watermark text not null default 'normal' check (watermark in ('normal', 'high')),
  since timestamptz(3) not null,
  used_bytes bigint not null,
  capacity_bytes bigint not null,
  free_bytes bigint not null,
  measured_at timestamptz(3) not null
);

-- How much a repository holds, as it said itself; what was sent since is added.
create table repository_measured (
  repository text primary key,
  bytes bigint not null,
  measured_at timestamptz(3) not null
);
