-- Up Migration

-- The last lease granted on each repository. Its number only ever rises, also when the workflow that keeps
-- the queue was lost and began anew.
create table repository_leases (
  repository text primary key,
  fence bigint not null,
  key text not null,
  holder text not null,
  mode text not null check (mode in ('shared', 'exclusive')),
  granted_at timestamptz(3) not null
);

-- What one retention job found and did in one repository.
create table retention_runs (
  job_id uuid not null references jobs on delete cascade,
  repository text not null,
  planned_at timestamptz(3) not null,
  kept integer not null,
  dropped integer not null,
  anomalies jsonb not null,
  -- Who let it pass in spite of its anomalies.
  confirmed_by text,
  freed_bytes bigint,
  remaining_bytes bigint,
  ended_at timestamptz(3),
  primary key (job_id, repository)
);

-- The points a plan drops, each with why.
create table retention_drops (
  job_id uuid not null,
  repository text not null,
  point_id uuid not null references recovery_points,
  reasons text[] not null,
  -- Something came up between the plan and the deed.
  kept_after_all boolean not null default false,
  primary key (job_id, repository, point_id),
  foreign key (job_id, repository) references retention_runs on delete cascade
);

-- Copies that were given up. They are moved here before the engine is asked to forget them: at no moment does
-- point_copies hold one that is gone. `gone_at` is null as long as the engine may still have it.
create table dropped_copies (
  point_id uuid not null references recovery_points,
  repository text not null,
  artifact_id text not null,
  parts jsonb not null,
  snapshot_ids text[] not null,
  stored_at timestamptz(3) not null,
  verified_at timestamptz(3),
  proven_at timestamptz(3),
  damaged_at timestamptz(3),
  proof text not null,
  job_id uuid,
  reasons text[] not null,
  dropped_at timestamptz(3) not null,
  gone_at timestamptz(3),
  -- The store did not let it go (object lock): the copy was put back.
  put_back_at timestamptz(3),
  primary key (point_id, repository, artifact_id)
);
create index dropped_copies_unfinished on dropped_copies (repository)
  where gone_at is null and put_back_at is null;

-- A point without any copy is out of every list and stays known by its id.
alter table recovery_points
  add column deleted_at timestamptz(3),
  add column deleted_reason text;

create index point_copies_of_points on point_copies (repository, point_id);

-- As the owner: the application role deletes nothing, and through this it can only move. The newest point the
-- repository has left takes its place in sync_state.
create function withdraw_copy(
  withdrawn uuid, withdrawn_from text, by_job uuid, because text[], at timestamptz
) returns boolean
language plpgsql security definer set search_path = holdfast, pg_temp as $$
declare
  moved boolean;
begin
  insert into dropped_copies as kept
      (point_id, repository, artifact_id, parts, snapshot_ids, stored_at, verified_at, proven_at, damaged_at,
       proof, job_id, reasons, dropped_at)
    select point_id, repository, artifact_id, parts, snapshot_ids, stored_at, verified_at, proven_at, damaged_at,
           proof, by_job, because, at
      from point_copies where point_id = withdrawn and repository = withdrawn_from
    on conflict (point_id, repository, artifact_id) do update set
      job_id = excluded.job_id, reasons = excluded.reasons, dropped_at = excluded.dropped_at,
      gone_at = null, put_back_at = null;
  delete from point_copies where point_id = withdrawn and repository = withdrawn_from;
  moved := found;
  update sync_state set (point_id, taken_at, stored_at) = (next.id, next.taken_at, next.stored_at)
    from (
      select point.id, point.taken_at, copy.stored_at
        from recovery_points as point
        join point_copies as copy on copy.point_id = point.id and copy.repository = withdrawn_from
       where point.kind = 'regular' and point.asset = (select asset from recovery_points where id = withdrawn)
       order by point.taken_at desc, point.id desc limit 1) as next
   where sync_state.point_id = withdrawn and sync_state.repository = withdrawn_from;
  delete from sync_state where point_id = withdrawn and repository = withdrawn_from;
  return moved;
end
$$;
