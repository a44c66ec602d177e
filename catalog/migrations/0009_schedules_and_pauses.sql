-- Up Migration

-- What each Schedule in Temporal was last made from; null: it was deleted. An unchanged configuration is told from
-- this, without a question per Schedule.
create table schedules (
  id text primary key,
  policy text not null,
  shape text,
  applied_at timestamptz(3) not null default now()
);
create index schedules_of_policy on schedules (policy);

create table policy_pauses (
  policy text not null,
  paused_at timestamptz(3) not null,
  paused_by text not null,
  reason text not null,
  resumed_at timestamptz(3),
  resumed_by text,
  resume_reason text,
  primary key (policy, paused_at),
  check ((resumed_at is null) = (resumed_by is null))
);
create unique index policy_pauses_open on policy_pauses (policy) where resumed_at is null;
