-- Up Migration

-- Words a person gave to a backup, for each point it makes: retention may keep by them. On the job as well, so that
-- one that is begun again gives its points the same.
alter table recovery_points add column tags text[] not null default '{}';
alter table jobs add column tags text[] not null default '{}';
