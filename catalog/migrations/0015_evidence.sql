-- Up Migration

-- The evidence of drills, as signed: each row is a file that anybody can check (domain/evidence). Rows are only
-- ever added, at the end; each names the digest of the one before. The columns repeat what the file states, so
-- that it can be found.
create table evidence (
  sequence bigint primary key check (sequence > 0),
  drill_id text not null unique,
  drill text not null,
  scenario text not null,
  outcome text not null check (outcome in ('passed', 'missed', 'failed', 'inconclusive')),
  started_at timestamptz(3) not null,
  ended_at timestamptz(3) not null,
  recorded_at timestamptz(3) not null,
  previous text not null unique,
  digest text not null unique,
  key_id text not null,
  envelope text not null
);
create index evidence_of_drill on evidence (drill, sequence desc);
create index evidence_ended on evidence (ended_at, sequence);

create function refuse_evidence_change() returns trigger
language plpgsql as $$
begin
  raise exception '% on % is refused: evidence is only ever added', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;

create trigger evidence_append_only
  before update or delete or truncate on evidence
  for each statement execute function refuse_evidence_change();

-- Also what was inserted by hand stands at the end or not at all.
create function follow_evidence() returns trigger
language plpgsql as $$
begin
  if new.sequence <> 1 + coalesce((select max(sequence) from evidence), 0)
    or new.previous <> coalesce(
      (select digest from evidence order by sequence desc limit 1), repeat('0', 64)) then
    raise exception 'evidence % does not follow the one before it', new.sequence
      using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;

create trigger evidence_follows
  before insert on evidence
  for each row execute function follow_evidence();
