-- Up Migration

-- What of the source could not be read, in a person's words; null: everything was. A partial point is never
-- more than stored (domain/proof.ts).
alter table recovery_points add column partial text;

-- The backups before this migration said so only in their own outcome, and a later reading of the bytes may have
-- lifted their points.
update recovery_points set partial = regexp_replace(job_assets.error ->> 'message', '^.* is partial: ', '')
  from job_assets
 where job_assets.recovery_point_id = recovery_points.id and job_assets.job_id = recovery_points.job_id
   and job_assets.error ->> 'code' = 'source.partial';
update point_copies set proof = 'stored'
  from recovery_points
 where recovery_points.id = point_id and partial is not null
   and point_copies.proof in ('verified', 'proven');
update recovery_points set proof = 'stored'
 where partial is not null and proof in ('verified', 'proven');
update sync_state set proven_at = (
  select max(point_copies.proven_at) from point_copies
    join recovery_points on recovery_points.id = point_copies.point_id
   where asset = sync_state.asset and repository = sync_state.repository and kind = 'regular'
     and partial is null)
 where asset in (select asset from recovery_points where partial is not null);
