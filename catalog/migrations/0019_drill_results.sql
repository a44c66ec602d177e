-- Up Migration

-- Who was told how a drill ended: by channel the message, and when. Outlives the message itself, so that the incident
-- of a drill is not told the same once more.
alter table drills add column told jsonb not null default '{}';

-- That somebody who answers for it has looked at a drill's evidence. The evidence itself was signed before, and stays
-- as it is; this row is only ever added, and has its event on the audit chain.
create table evidence_approvals (
  sequence bigint primary key references evidence,
  approved_by text not null,
  approved_at timestamptz(3) not null,
  note text not null
);

create trigger evidence_approvals_append_only
  before update or delete or truncate on evidence_approvals
  for each statement execute function refuse_evidence_change();
