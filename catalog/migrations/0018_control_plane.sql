-- Up Migration

-- The text as it was applied, and the file it came from: whoever rebuilds the service has both again. null: applied
-- by an earlier version.
alter table configurations
  add column source text,
  add column path text;

-- The control plane stores itself as a job, in one repository, and no two do so at once there.
alter table jobs drop constraint jobs_type_check;
alter table jobs add constraint jobs_type_check
  check (type in ('preflight', 'backup', 'sync', 'retention', 'verify', 'restore', 'drill', 'controlPlane'));
create unique index jobs_one_control_plane_per_repository on jobs (repository)
  where type = 'controlPlane' and status in ('running', 'waiting');
create index jobs_control_plane on jobs (repository, started_at desc) where type = 'controlPlane';

-- A repository that was found in an older state than the catalogue had stored there. Nothing is dropped from it until
-- somebody has said that this is how it is.
create table repository_rollbacks (
  repository text not null,
  found_at timestamptz(3) not null,
  -- The control plane's own that was no longer there.
  point_id uuid not null,
  -- Every point with a copy there, by the catalogue, that the repository no longer has.
  missing uuid[] not null,
  accepted_at timestamptz(3),
  accepted_by text,
  accepted_reason text,
  primary key (repository, found_at)
);
create unique index repository_rollbacks_open on repository_rollbacks (repository) where accepted_at is null;
