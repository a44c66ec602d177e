-- Up Migration

-- What is wrong, from its first sight until it has stayed away (domain/incidents/plan.ts).
create table incidents (
  number bigint generated always as identity primary key,
  key text not null,
  topic text not null,
  severity text not null check (severity in ('info', 'warning', 'critical', 'page')),
  policies text[] not null,
  asset text,
  title text not null,
  reason text not null,
  next text not null,
  opened_at timestamptz(3) not null,
  last_seen_at timestamptz(3) not null,
  resolved_at timestamptz(3),
  -- By channel: what it was last told, when, and in which thread.
  told jsonb not null default '{}'
);
create unique index incidents_open on incidents (key) where resolved_at is null;

-- The outbox. A message is put here in the transaction that changes the incidents it tells of, so it is neither
-- lost nor written twice; it may be sent twice, under the same id.
create table notification_messages (
  id uuid primary key,
  sequence bigint generated always as identity,
  channel text not null,
  content jsonb not null,
  -- Of a ping: the job and the signal, each once a channel.
  about text,
  created_at timestamptz(3) not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz(3) not null,
  settled_at timestamptz(3),
  outcome text check (outcome in ('delivered', 'refused', 'givenUp', 'superseded')),
  last_error text,
  check ((settled_at is null) = (outcome is null))
);
create index notification_messages_waiting on notification_messages (channel, sequence) where settled_at is null;
create unique index notification_messages_pings on notification_messages (channel, about) where about is not null;

-- How each channel fares. A row is made when it is first used or pinged.
create table notification_channels (
  name text primary key,
  -- In a row, since it last took a message.
  failures integer not null default 0,
  failing_since timestamptz(3),
  error jsonb,
  delivered_at timestamptz(3),
  -- Jobs that ended before are not told of: the channel was not there yet.
  pings_from timestamptz(3)
);

-- The newest ended job of a policy and a type, of which there may be a year's worth at five minutes each.
create index jobs_newest_ended on jobs (policy, type, started_at desc) where ended_at is not null;
