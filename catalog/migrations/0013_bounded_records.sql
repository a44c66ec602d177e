-- Up Migration

-- A repository is measured once, for guards and forecasts alike: the last of each day is kept.
insert into repository_sizes as kept (repository, day, at, stored_bytes)
  select repository, utc_day(measured_at), measured_at, bytes from repository_measured
on conflict (repository, day) do update set at = excluded.at, stored_bytes = excluded.stored_bytes
  where kept.at < excluded.at;
drop table repository_measured;

create index uploads_by_end on uploads (ended_at);
create index notification_messages_settled on notification_messages (settled_at) where settled_at is not null;
create index key_uses_by_time on key_uses (first_used_at);

-- As the owner: the application role deletes none of these rows, and through this only what is old by the
-- database's own clock, too. What stays, however old: the sends that the next one's size is judged by, and those
-- since the last measurement of their repository; the newest pings, which keep a job from being pinged again;
-- and whatever belongs to a job or restore that has not ended.
create function forget_old_records(before timestamptz)
returns table (uploads bigint, messages bigint, key_uses bigint)
language plpgsql security definer set search_path = holdfast, pg_temp as $$
declare
  limit_at timestamptz := least(before, now() - interval '90 days');
begin
  delete from uploads as old
   where (old.ended_at < limit_at or old.ended_at is null and old.started_at < limit_at)
     and old.run not in (select id::text from jobs where status in ('running', 'waiting'))
     and old.run not in (select 'r-' || number from restores where ended_at is null)
     and (old.ended_at is null or old.ended_at < (
       select max(at) from repository_sizes where repository_sizes.repository = old.repository))
     and old.run not in (
       select sent.run from uploads as sent
        where sent.asset = old.asset and sent.repository = old.repository and sent.measured = 'sent'
        order by sent.ended_at desc limit 6);
  get diagnostics uploads = row_count;
  delete from upload_reservations using jobs
   where jobs.id = upload_reservations.job_id and jobs.ended_at < limit_at;
  delete from upload_waits using jobs
   where jobs.id = upload_waits.job_id and jobs.ended_at < limit_at;

  delete from notification_messages as old
   where old.settled_at < limit_at
     and (old.about is null or old.id not in (
       select newer.id from notification_messages as newer
        where newer.channel = old.channel and newer.about is not null
          and newer.content ->> 'policy' = old.content ->> 'policy'
        order by newer.sequence desc limit 20));
  get diagnostics messages = row_count;

  delete from key_uses as old
   where old.first_used_at < limit_at
     and (exists (
         select from jobs
          where jobs.id = case when old.subject ~ '^job/[0-9a-f-]{36}$' then substr(old.subject, 5)::uuid end
            and jobs.ended_at < limit_at)
       or exists (
         select from restores where 'restore/r-' || restores.number = old.subject
            and restores.ended_at < limit_at));
  get diagnostics key_uses = row_count;
  return next;
end
$$;
revoke execute on function forget_old_records(timestamptz) from public;
