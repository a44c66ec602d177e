-- Up Migration

-- Recovery kits as they were written. The newest one counts: what it says is compared with what is true now.
create table kits (
  id uuid primary key,
  written_at timestamptz(3) not null,
  written_by text not null,
  -- Of what it says, and of the sealed file.
  digest text not null,
  sealed_digest text not null,
  configuration text not null,
  folder text not null,
  sealed_for text[] not null,
  -- Somebody has put it in the place of the one before; null: nobody has said so yet.
  confirmed_at timestamptz(3),
  confirmed_by text,
  -- What it says is no longer true.
  outdated_at timestamptz(3)
);
create index kits_newest on kits (written_at desc, id desc);
