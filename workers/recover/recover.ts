// An empty machine, a repository and its key: the service is rebuilt from the control plane's own recovery point.
// Nothing is changed before all that can be refused was looked at; stopped anywhere after that, nothing is left
// behind, and killed anywhere, the next attempt begins anew. The repository is only read.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresServerBinaries } from '../../activities/hosts/postgres-binaries.ts';
import { witnessed } from '../../activities/key-witness.ts';
import type { EngineSnapshot, Repository } from '../../activities/repositories/repository.ts';
import type { Step } from '../../activities/step.ts';
import { knowsMigration } from '../../catalog/index.ts';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import { chosenPoint, controlPlanePoints, type ControlPlanePoint } from './choose-point.ts';
import {
  plannedConfiguration,
  refuseAnotherFile,
  writeConfiguration,
  type RecoveredConfiguration,
} from './configuration-file.ts';
import { claimForRecovery, layOut, refuseOccupied, type ClaimedDirectory } from './data-directory.ts';
import { openGiven } from './open-given.ts';
import { plainRestores, type PlainRestores } from './plain-restores.ts';
import { reachOf } from './reach.ts';
import { readBeginning, readWhole, type Beginning } from './read-bundle.ts';
import { reconcile, type Reconciled } from './reconcile.ts';
import { foundPoint, planOf, reportOf, type Plan, type Report } from './report.ts';
import type { RecoverRequest } from './request.ts';
import { refuseOccupiedCatalogue, restoreCatalogue, type RestoredCatalogue } from './restored-catalogue.ts';

/** `nothing`: no control plane is in the repository, only recovery points. */
export type Recovery =
  | { kind: 'nothing'; plain: PlainRestores }
  | { kind: 'planned'; plan: Plan }
  | { kind: 'recovered'; report: Report };

export async function recover(request: RecoverRequest, step: Step, now: Date): Promise<Recovery> {
  // There is no chain to put them on before the catalogue is back.
  const secrets = new Set<string>();
  const witness = async (reference: string) => void secrets.add(reference);
  return witnessed(witness, () => recovering(request, secrets, step, now));
}

async function recovering(
  request: RecoverRequest,
  secrets: ReadonlySet<string>,
  step: Step,
  now: Date,
): Promise<Recovery> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-recover-'));
  try {
    const repository = await openGiven(request.repository, folder, step);
    const listed = await repository.snapshots({}, step);
    const points = controlPlanePoints(listed);
    if (points.length === 0) return { kind: 'nothing', plain: plainRestores(listed, request.repository) };
    const point = chosenPoint(points, request);
    const beginning = await readBeginning(repository, point, folder, step);
    const from = foundPoint(point, beginning.manifest, points.length, now);
    step.say('info', `control plane of ${from.host}, stored at ${from.takenAt} as ${from.id}`);
    const configuration = plannedConfiguration(beginning, request);
    await refuseWhatIsInTheWay(beginning, configuration, step);
    const hostnames = new Set(points.map(({ hostname }) => hostname));
    const plan = planOf(from, configuration, [...hostnames]);
    for (const warning of plan.warnings) step.say('warning', warning);
    if (request.dryRun) return { kind: 'planned', plan };
    const claimed = await claimForRecovery(configuration.dataDir, (message) => step.say('info', message));
    const found = { repository, listed, point, beginning, configuration, plan, secrets };
    return { kind: 'recovered', report: await rebuilt(request, found, claimed, now, step) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Found {
  repository: Repository;
  listed: readonly EngineSnapshot[];
  point: ControlPlanePoint;
  beginning: Beginning;
  configuration: RecoveredConfiguration;
  plan: Plan;
  /** Where those stand that were asked for so far. */
  secrets: ReadonlySet<string>;
}

/**
 * Crash order: the data directory is marked as half-way until the last step. The configuration comes last of all
 * that is written, so that nobody starts a service from half of it.
 */
async function rebuilt(
  request: RecoverRequest,
  found: Found,
  claimed: ClaimedDirectory,
  now: Date,
  step: Step,
): Promise<Report> {
  const { repository, point, configuration } = found;
  const { manifest } = found.beginning;
  const { dataDir } = configuration;
  let restored: RestoredCatalogue | null = null;
  try {
    const bundle = join(claimed.room, 'bundle');
    step.say('info', `restoring it into ${dataDir}`);
    await readWhole(repository, point, manifest, bundle, step);
    await layOut(bundle, dataDir);
    step.say('info', 'restoring the catalogue, and reading its audit chain from the first event to the last');
    restored = await restoreCatalogue(bundle, dataDir, configuration.configuration, manifest, step);
    let report: Report;
    try {
      const reconciled = await inLine(found, restored, now, step);
      step.say('info', 'looking which secrets and repositories can be reached from here');
      const cache = join(claimed.room, 'cache');
      const reach = await reachOf(configuration, manifest.repository, request.repository, cache, step);
      for (const reference of found.secrets)
        await restored.catalog.keyUses.record(`point/${point.labels.point}`, reference);
      report = await reportOf(found.plan, restored, manifest, reconciled, reach);
    } finally {
      await restored.close();
    }
    // Who stops it while a repository is asked only finds that one out of reach.
    step.signal.throwIfAborted();
    const written = await writeConfiguration(configuration);
    await claimed.finish();
    return { ...report, configuration: { ...report.configuration, written } };
  } catch (error) {
    await restored?.discard().catch((left: unknown) => {
      step.say('warning', `the restored catalogue stays, the next recovery takes it up: ${wordsOf(left)}`);
    });
    await claimed.giveUp().catch((left: unknown) => {
      step.say('warning', `clearing ${dataDir} failed, the next recovery does it: ${wordsOf(left)}`);
    });
    throw error;
  }
}

async function inLine(
  { listed, point, beginning, configuration }: Found,
  { catalog, events }: RestoredCatalogue,
  now: Date,
  step: Step,
): Promise<Reconciled> {
  const { repository, audit } = beginning.manifest;
  step.say('info', `the audit chain is whole: ${events} events, and it ends where it ended there`);
  const auditSequence = audit?.sequence ?? 0;
  await catalog.audit.append({
    action: 'controlPlane.recovered',
    subject: `point/${point.labels.point}`,
    details: { repository, point: point.labels.point, takenAt: point.takenAt, auditSequence },
  });
  step.say('info', `comparing the catalogue with ${repository}`);
  return reconcile(catalog, repository, configuration.configuration, listed, point.hostname, now, step);
}

async function refuseWhatIsInTheWay(
  { manifest }: Beginning,
  configuration: RecoveredConfiguration,
  step: Step,
): Promise<void> {
  if (!(await knowsMigration(manifest.migration))) {
    throw new HoldfastError({
      code: 'catalog.newer',
      message: 'nothing was recovered: this control plane was stored by a newer Holdfast',
      cause: `its catalogue has ${manifest.migration}, which this program does not know`,
      hint: `use Holdfast ${manifest.holdfast} or newer`,
    });
  }
  // Without its programs there can be no catalogue: known before anything was fetched.
  if (!configuration.configuration?.catalog) await postgresServerBinaries();
  await refuseOccupied(configuration.dataDir);
  await refuseAnotherFile(configuration);
  await refuseOccupiedCatalogue(configuration.configuration, manifest, step);
}
