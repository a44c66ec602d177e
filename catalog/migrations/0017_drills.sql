-- Up Migration

-- A drill is a job, and what it was to bring back. What it measured stands in its evidence; the columns repeat
-- what lists show.
create table drills (
  id uuid primary key references jobs on delete cascade,
  drill text not null,
  scenario text not null check (scenario in ('assetLoss', 'hostLoss', 'siteLoss', 'keyLoss')),
  repository text not null,
  started_at timestamptz(3) not null,
  -- As begun; later as ended. null: it has not been planned yet.
  record jsonb,
  outcome text check (outcome in ('passed', 'missed', 'failed', 'inconclusive')),
  reason text,
  rto_seconds double precision,
  rpo_seconds double precision,
  evidence text,
  evidence_sequence bigint
);
create index drills_newest on drills (started_at desc, id desc);
create index drills_of_name on drills (drill, started_at desc, id desc);
