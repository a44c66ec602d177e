-- Up Migration

-- How the last sync of each copy ended.
create index jobs_newest_sync_of_copy on jobs (policy, repository, started_at desc)
  where type = 'sync' and ended_at is not null;

-- What a person has taken out of one repository does not come back there by itself.
create index point_removals_of_point on point_removals (point_id);

-- What was seen once of a repository, and counts as long as it is reached in the same way: a digest of how it cuts its data,
-- and that what encrypts in front of it does so.
create table repository_looks (
  repository text not null,
  what text not null check (what in ('chunker', 'crypt')),
  -- A digest of how the repository is reached.
  way text not null,
  found text not null,
  at timestamptz(3) not null,
  primary key (repository, what)
);
