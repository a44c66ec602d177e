-- Up Migration

-- What the objectives are judged by, counted a day at a time: a year of runs every five minutes is 365 rows.
-- Triggers keep it, in the transaction that changes what it counts; each takes away what the row was counted as
-- before, so that a step that runs twice counts once. Days are UTC.
create table asset_days (
  day date not null,
  asset text not null,
  -- '': a restore, which is of no policy.
  policy text not null,
  backups_succeeded integer not null default 0,
  backups_failed integer not null default 0,
  -- A person's decision: neither a success nor a failure.
  backups_cancelled integer not null default 0,
  backups_missed integer not null default 0,
  validations_succeeded integer not null default 0,
  validations_failed integer not null default 0,
  points integer not null default 0,
  added_bytes bigint not null default 0,
  store_runs integer not null default 0,
  store_milliseconds bigint not null default 0,
  rehearse_runs integer not null default 0,
  rehearse_milliseconds bigint not null default 0,
  primary key (day, asset, policy)
  -- Room on each page, so that today's rows are updated in place.
) with (fillfactor = 70);

-- An asset is in a policy or two: without this the planner expects each in every one.
create statistics asset_days_groups (ndistinct) on asset, policy from asset_days;

-- The last measurement of each day.
create table repository_sizes (
  repository text not null,
  day date not null,
  at timestamptz(3) not null,
  stored_bytes bigint not null,
  -- null: nobody can tell, as in a bucket.
  free_bytes bigint,
  primary key (repository, day)
);

-- Whether the asset was restored in a sandbox in this job and found right; null: it was not tried.
alter table job_assets add column rehearsed boolean;
update job_assets set rehearsed = true
  from measured_durations
 where step = 'rehearse' and run = job_id::text and measured_durations.asset = job_assets.asset;
update job_assets set rehearsed = false where error ->> 'code' = 'proof.failed';

create index jobs_scheduled_of_policy on jobs (policy, started_at desc)
  where type = 'backup' and trigger = 'schedule';

create function count_in_asset_day(
  of_asset text, of_policy text, of_day date,
  succeeded integer default 0, failed integer default 0, cancelled integer default 0,
  missed integer default 0, validated integer default 0, invalid integer default 0,
  of_points integer default 0, added bigint default 0,
  stores integer default 0, store_time bigint default 0,
  rehearsals integer default 0, rehearsal_time bigint default 0
) returns void language sql set search_path = holdfast, pg_temp as $$
  insert into asset_days as kept values (
    of_day, of_asset, coalesce(of_policy, ''), succeeded, failed, cancelled, missed, validated, invalid,
    of_points, added, stores, store_time, rehearsals, rehearsal_time)
  on conflict (day, asset, policy) do update set
    backups_succeeded = kept.backups_succeeded + excluded.backups_succeeded,
    backups_failed = kept.backups_failed + excluded.backups_failed,
    backups_cancelled = kept.backups_cancelled + excluded.backups_cancelled,
    backups_missed = kept.backups_missed + excluded.backups_missed,
    validations_succeeded = kept.validations_succeeded + excluded.validations_succeeded,
    validations_failed = kept.validations_failed + excluded.validations_failed,
    points = kept.points + excluded.points,
    added_bytes = kept.added_bytes + excluded.added_bytes,
    store_runs = kept.store_runs + excluded.store_runs,
    store_milliseconds = kept.store_milliseconds + excluded.store_milliseconds,
    rehearse_runs = kept.rehearse_runs + excluded.rehearse_runs,
    rehearse_milliseconds = kept.rehearse_milliseconds + excluded.rehearse_milliseconds
$$;

create function utc_day(at timestamptz) returns date language sql immutable as $$
  select (at at time zone 'UTC')::date
$$;

create function count_job_asset(one job_assets, sign integer) returns void
language plpgsql set search_path = holdfast, pg_temp as $$
declare
  backup boolean := one.job_type = 'backup' and one.status in ('success', 'failed');
  stopped boolean := coalesce(one.error ->> 'code' = 'cancelled', false);
begin
  if not backup and one.rehearsed is null then return; end if;
  perform count_in_asset_day(
    one.asset, (select policy from jobs where id = one.job_id), utc_day(one.job_started_at),
    succeeded => case when backup and one.status = 'success' then sign else 0 end,
    failed => case when backup and one.status = 'failed' and not stopped then sign else 0 end,
    cancelled => case when backup and one.status = 'failed' and stopped then sign else 0 end,
    validated => case when one.rehearsed then sign else 0 end,
    invalid => case when not one.rehearsed then sign else 0 end);
end
$$;

create function count_point(one recovery_points, sign integer) returns void
language plpgsql set search_path = holdfast, pg_temp as $$
begin
  if one.kind <> 'regular' then return; end if;
  perform count_in_asset_day(one.asset, one.policy, utc_day(one.taken_at),
    of_points => sign, added => sign * one.added_bytes);
end
$$;

create function count_duration(one measured_durations, sign integer) returns void
language plpgsql set search_path = holdfast, pg_temp as $$
declare
  milliseconds bigint := sign * round(one.seconds * 1000)::bigint;
begin
  if one.step not in ('store', 'rehearse') then return; end if;
  perform count_in_asset_day(
    one.asset,
    case when one.run ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      then (select policy from jobs where id = one.run::uuid) end,
    utc_day(one.ended_at),
    stores => case one.step when 'store' then sign else 0 end,
    store_time => case one.step when 'store' then milliseconds else 0 end,
    rehearsals => case one.step when 'rehearse' then sign else 0 end,
    rehearsal_time => case one.step when 'rehearse' then milliseconds else 0 end);
end
$$;

-- A restore whose bytes could not be read never comes as far as its validation: that is one that failed.
create function count_restore(one restores, sign integer) returns void
language plpgsql set search_path = holdfast, pg_temp as $$
declare
  valid boolean := coalesce(
    (one.validation ->> 'ok')::boolean,
    case when one.status = 'failed' and one.error ->> 'code' in ('proof.failed', 'repository.damaged')
      then false end);
begin
  if valid is null then return; end if;
  perform count_in_asset_day(one.asset, '', utc_day(one.created_at),
    validated => case when valid then sign else 0 end,
    invalid => case when valid then 0 else sign end);
end
$$;

select count_job_asset(job_assets, 1) from job_assets;
select count_point(recovery_points, 1) from recovery_points;
select count_duration(measured_durations, 1) from measured_durations;
select count_restore(restores, 1) from restores;

create function recount_job_asset() returns trigger language plpgsql
set search_path = holdfast, pg_temp as $$
begin
  if tg_op = 'UPDATE' then perform count_job_asset(old, -1); end if;
  perform count_job_asset(new, 1);
  return null;
end
$$;
create trigger job_assets_counted_when_begun after insert on job_assets
  for each row when (new.status in ('success', 'failed')) execute function recount_job_asset();
create trigger job_assets_counted after update on job_assets
  for each row when (
    old.status is distinct from new.status or old.rehearsed is distinct from new.rehearsed
    or old.error is distinct from new.error)
  execute function recount_job_asset();

create function recount_point() returns trigger language plpgsql
set search_path = holdfast, pg_temp as $$
begin
  if tg_op = 'UPDATE' then perform count_point(old, -1); end if;
  perform count_point(new, 1);
  return null;
end
$$;
create trigger recovery_points_counted_when_recorded after insert on recovery_points
  for each row execute function recount_point();
create trigger recovery_points_counted after update on recovery_points
  for each row when (
    old.added_bytes is distinct from new.added_bytes or old.taken_at is distinct from new.taken_at
    or old.asset is distinct from new.asset or old.policy is distinct from new.policy)
  execute function recount_point();

create function recount_duration() returns trigger language plpgsql
set search_path = holdfast, pg_temp as $$
begin
  if tg_op = 'UPDATE' then perform count_duration(old, -1); end if;
  perform count_duration(new, 1);
  return null;
end
$$;
create trigger measured_durations_counted after insert or update on measured_durations
  for each row execute function recount_duration();

create function recount_restore() returns trigger language plpgsql
set search_path = holdfast, pg_temp as $$
begin
  perform count_restore(old, -1);
  perform count_restore(new, 1);
  return null;
end
$$;
create trigger restores_counted after update on restores
  for each row when (
    old.validation is distinct from new.validation or old.status is distinct from new.status)
  execute function recount_restore();
