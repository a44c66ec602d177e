-- Up Migration

-- A drill that took the service itself down: nobody but a person begins one, and nobody at all begins it again.
alter table drills add column game_day boolean not null default false;
