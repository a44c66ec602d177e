-- Up Migration

-- The last exclusive grant: a shared lease that is older counts no more. Those given so far are on the chain.
alter table repository_leases add column exclusive_fence bigint not null default 0;
update repository_leases set exclusive_fence = coalesce(
  (select max((details ->> 'fence')::bigint) from audit_events
    where action = 'lease.granted' and subject = 'repository/' || repository), 0);

-- What a person has ordered to be taken away, and from where. `ended_at` is null as long as a copy is left there.
create table point_removals (
  id bigint generated always as identity primary key,
  point_id uuid not null references recovery_points on delete cascade,
  repositories text[] not null,
  reason text not null,
  ordered_by text not null,
  begun_at timestamptz(3) not null,
  ended_at timestamptz(3)
);
create unique index point_removals_open on point_removals (point_id, repositories) where ended_at is null;

insert into point_removals (point_id, repositories, reason, ordered_by, begun_at)
  select point.id, array(select jsonb_array_elements_text(event.details -> 'repositories')),
         event.details ->> 'reason', event.actor, point.removing_since
    from recovery_points as point
    cross join lateral (
      select details, actor from audit_events
       where action = 'point.removing' and subject = 'point/' || point.id
       order by sequence desc limit 1) as event
   where point.removing_since is not null and point.removed_at is null;
