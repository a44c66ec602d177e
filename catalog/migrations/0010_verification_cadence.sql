-- Up Migration

-- When each group of a repository's storage files was last read back. By repository and not by policy: policies
-- share its bytes. Rows of a division that is no longer in use stay: what was read was read.
create table repository_readings (
  repository text not null,
  groups integer not null check (groups between 1 and 256),
  group_number integer not null check (group_number between 1 and groups),
  -- When the reading began, by the clock of the worker.
  read_at timestamptz(3) not null,
  ok boolean not null,
  job_id uuid,
  primary key (repository, groups, group_number)
);

create table repository_reading_cycles (
  repository text primary key,
  reading_since timestamptz(3) not null,
  -- Of the cycle under way.
  began_at timestamptz(3) not null,
  -- When the last cycle began that ended without damage: what was stored before it is verified as of then.
  verified_until timestamptz(3)
);

-- What a cycle that ended lifts, without a look at every copy of the repository.
create index point_copies_unverified on point_copies (repository, stored_at)
  where proof in ('stored', 'damaged');
