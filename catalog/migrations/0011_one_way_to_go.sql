-- Up Migration

-- A point that is gone is gone in one way, whoever took it: `removed_at`, with by whom and why.
update recovery_points
   set removed_at = deleted_at, removed_by = 'retention', removed_reason = deleted_reason
 where deleted_at is not null and removed_at is null;
alter table recovery_points drop column deleted_at, drop column deleted_reason;

-- The one way a copy leaves: it can only move, and only the application role may ask for it.
revoke execute on function withdraw_copy(uuid, text, uuid, text[], timestamptz) from public;

-- What the workers' clocks have shown: up to when they are believed, and, after a jump that nobody has confirmed,
-- what they have shown since. One row.
create table clock_seen (
  one boolean primary key default true check (one),
  trusted_until timestamptz(3) not null,
  doubted_since timestamptz(3),
  doubted_until timestamptz(3),
  check ((doubted_since is null) = (doubted_until is null))
);
insert into clock_seen (trusted_until) select max(started_at) from jobs having max(started_at) is not null;
