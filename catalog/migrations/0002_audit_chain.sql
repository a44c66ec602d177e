-- Up Migration

-- Law 9. Rows are only ever added, at the end; the triggers hold also where one role owns everything. Who
-- owns the tables can switch them off: what was changed then shows in the chain (domain/audit-chain.ts).
create table audit_events (
  sequence bigint primary key,
  at timestamptz(3) not null,
  actor text not null,
  action text not null,
  subject text not null,
  details jsonb not null,
  previous text not null,
  digest text not null
);
create index audit_events_action on audit_events (action, sequence desc);
create index audit_events_subject on audit_events (subject, sequence desc);

-- One row: the last event. It shows when events were taken off the end.
create table audit_head (
  only_row boolean primary key default true check (only_row),
  sequence bigint not null,
  digest text not null
);
insert into audit_head (sequence, digest) values (0, repeat('0', 64));

create function refuse_audit_change() returns trigger
language plpgsql as $$
begin
  raise exception '% on % is refused: the audit chain is only ever added to', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;

create trigger audit_events_append_only
  before update or delete or truncate on audit_events
  for each statement execute function refuse_audit_change();

-- Depth 0 is a statement of somebody's; the head moves only through the trigger below.
create trigger audit_head_moves_by_itself
  before insert or update or delete or truncate on audit_head
  for each statement when (pg_trigger_depth() = 0) execute function refuse_audit_change();

-- As the owner: the application role may not write the head, nor put a temporary table in its place.
create function advance_audit_head() returns trigger
language plpgsql security definer set search_path = holdfast, pg_temp as $$
begin
  update audit_head set sequence = new.sequence, digest = new.digest
    where sequence = new.sequence - 1 and digest = new.previous;
  if not found then
    raise exception 'audit event % does not follow the end of the chain', new.sequence
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end
$$;

create trigger audit_events_advance_head
  after insert on audit_events
  for each row execute function advance_audit_head();
