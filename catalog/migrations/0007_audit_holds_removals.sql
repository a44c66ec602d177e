-- Up Migration

-- Who wants a recovery point kept, whatever its policy says, and why. A released hold stays on record.
create table point_holds (
  id bigint generated always as identity primary key,
  point_id uuid not null references recovery_points on delete cascade,
  kind text not null check (kind in ('legal', 'other')),
  owner text not null,
  reason text not null,
  placed_at timestamptz(3) not null,
  placed_by text not null,
  released_at timestamptz(3),
  released_by text,
  release_reason text,
  check ((released_at is null) = (released_by is null) and (released_at is null) = (release_reason is null))
);
create index point_holds_of_point on point_holds (point_id, id desc);
create index point_holds_open on point_holds (point_id) where released_at is null;

-- Taken away by a person. The row stays, so that its id can still be explained. `removing_since`: the engine's
-- snapshots are being forgotten; nobody may rely on the point any more.
alter table recovery_points
  add column removing_since timestamptz(3),
  add column removed_at timestamptz(3),
  add column removed_by text,
  add column removed_reason text;

-- An asset that is renamed takes its points along.
alter table recovery_points
  drop constraint recovery_points_asset_fkey,
  add constraint recovery_points_asset_fkey foreign key (asset) references assets on update cascade;

-- What became of the event history of a job or restore that has ended: null until it was looked for.
alter table jobs add column history jsonb;
alter table restores add column history jsonb;
create index jobs_without_history on jobs (ended_at) where ended_at is not null and history is null;
create index restores_without_history on restores (ended_at) where ended_at is not null and history is null;

-- Which secret was opened for what: the first use is an event on the chain, and only that.
create table key_uses (
  subject text not null,
  reference text not null,
  first_used_at timestamptz(3) not null default now(),
  primary key (subject, reference)
);

create index audit_events_actor on audit_events (actor, sequence desc);
create index audit_events_at on audit_events (at, sequence);
create index audit_events_action_prefix on audit_events (action text_pattern_ops, sequence desc);
