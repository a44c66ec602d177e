// The catalogue's one door. `migrateCatalog` once at start, as the owner; then `openCatalog` with the URL it
// returns, which is the application role's where there is one.

import { audit } from './audit.ts';
import type { Catalog } from './catalog.ts';
import { clockSeen } from './clock-seen.ts';
import { configurations } from './configurations.ts';
import { connect, type Connection } from './connection.ts';
import { controlPlaneRecords } from './control-plane.ts';
import { databaseOf } from './database.ts';
import { drills } from './drills.ts';
import { durations } from './durations.ts';
import { evidence } from './evidence.ts';
import { histories } from './histories.ts';
import { holds } from './holds.ts';
import { idempotency } from './idempotency.ts';
import { incidentRecords } from './incident-facts.ts';
import { incidents } from './incidents.ts';
import { jobEvents } from './job-events.ts';
import { jobs } from './jobs.ts';
import { keyUses } from './key-uses.ts';
import { kits } from './kits.ts';
import { leases } from './leases.ts';
import { assertCurrent } from './migrate.ts';
import { objectives } from './objectives.ts';
import { oldRecords } from './old-records.ts';
import { notifications } from './notifications.ts';
import { points } from './recovery-points.ts';
import { policyPauses } from './policy-pauses.ts';
import { readings } from './readings.ts';
import { removals } from './removals.ts';
import { repositories } from './repositories.ts';
import { copies } from './copies.ts';
import { repositoryRooms } from './repository-room.ts';
import { restores } from './restores.ts';
import { schedules } from './schedules.ts';
import { retentionRecords } from './retention.ts';
import { assetStates } from './status.ts';
import { tokens } from './tokens.ts';
import { uploads } from './uploads.ts';

export { assetFacts } from './asset-facts.ts';
export { verifyExport } from './audit.ts';
export type * from './catalog.ts';
export type { AppliedConfiguration, ConfigurationDifference, Difference } from './configurations.ts';
export type { Rollback } from './control-plane.ts';
export type { DrillRow } from './drills.ts';
export type { EvidenceEntry, StoredEvidence } from './evidence.ts';
export type { PointHold } from './holds.ts';
export type { WrittenKit } from './kits.ts';
export type { ChannelFailure } from './notifications.ts';
export { knowsMigration, migrateCatalog } from './migrate.ts';
export { objectiveStatus } from './objective-status.ts';
export { oldestUnread, unreadTooLong, type OldestUnread } from './oldest-unread.ts';
export type { PolicyPause } from './policy-pauses.ts';
export { anomaliesIn, everyCopy, planRepository, type RepositoryPlan } from './retention-plan.ts';
export type { CopyFacts } from './retention.ts';
export type { Role, TokenEntry } from './tokens.ts';

export interface CatalogOptions {
  /** Resolved: with its password, if it has one. */
  url: string;
  /** Name on the audit chain for what is done without `as`; `holdfast` if left out. */
  actor?: string;
  /** What records are dated by where their writer names no time; this host's clock, if left out. */
  clock?: () => Date;
  /** How long to wait at the start for a database that does not answer yet. 15 if left out. */
  waitSeconds?: number;
  /** How long work is tried again when the connection is lost under it. 5 if left out. */
  patienceSeconds?: number;
}

/** Throws `catalog.unreachable`; `catalog.newer`; `service.failed` when it was not migrated. */
export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  const connection = await connect(options.url, {
    waitSeconds: options.waitSeconds ?? 15,
    patienceSeconds: options.patienceSeconds,
  });
  try {
    await connection.read('checking the version of the catalogue', assertCurrent);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return catalogOn(connection, options.actor ?? 'holdfast', options.clock ?? (() => new Date()));
}

function catalogOn(connection: Connection, actor: string, clock: () => Date): Catalog {
  const database = databaseOf(connection, actor, clock);
  return {
    jobs: jobs(database),
    jobEvents: jobEvents(database),
    points: points(database),
    holds: holds(database),
    removals: removals(database),
    restores: restores(database),
    configurations: configurations(database),
    controlPlane: controlPlaneRecords(database),
    repositories: repositories(database),
    schedules: schedules(database),
    policyPauses: policyPauses(database),
    readings: readings(database),
    copies: copies(database),
    rooms: repositoryRooms(database),
    uploads: uploads(database),
    idempotency: idempotency(database),
    tokens: tokens(database),
    durations: durations(database),
    objectives: objectives(database),
    histories: histories(database),
    keyUses: keyUses(database),
    kits: kits(database),
    oldRecords: oldRecords(database),
    leases: leases(database),
    retention: retentionRecords(database),
    clock: clockSeen(database),
    audit: audit(database),
    drills: drills(database),
    evidence: evidence(database),
    incidents: incidents(database),
    incidentRecords: incidentRecords(database),
    notifications: notifications(database),
    status: () => database.read('reading the status', assetStates),
    as: (name) => catalogOn(connection, name, clock),
    ping: () => connection.ping(),
    close: () => connection.close(),
  };
}
