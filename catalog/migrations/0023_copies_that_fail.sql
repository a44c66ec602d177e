-- Up Migration

-- How the last sync of each copy ended.
create index jobs_newest_sync_of_copy on jobs (policy, repository, started_at desc)
  where type = 'sync' and ended_at is not null;

-- What a person has taken out of one repository does not come back there by itself.
create index point_removals_of_point on point_removals (point_id);
