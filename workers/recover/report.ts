import type { Catalog } from '../../catalog/index.ts';
import { bundlePaths, type ControlPlaneManifest } from '../../domain/control-plane/bundle.ts';
import { formatDuration } from '../../domain/duration.ts';
import { recoveredKey, type RecoveredKey } from './audit-key.ts';
import type { ControlPlanePoint } from './choose-point.ts';
import type { RecoveredConfiguration } from './configuration-file.ts';
import type { Reach } from './reach.ts';
import type { Reconciled } from './reconcile.ts';
import type { RestoredCatalogue } from './restored-catalogue.ts';

/** The point of the control plane that everything comes from. */
export interface FoundPoint {
  id: string;
  takenAt: string;
  ageSeconds: number;
  snapshot: string;
  /** Name of the repository in the configuration, and of the machine that stored it there. */
  repository: string;
  host: string;
  holdfast: string;
  /** Of how many there are. */
  of: number;
}

/** What would be done, or was. */
export interface Plan {
  from: FoundPoint;
  dataDir: string;
  configuration: { path: string; written: boolean; notes: string[] };
  warnings: string[];
  /** Names of what the configuration has. */
  assets: string[];
  policies: string[];
  drills: string[];
}

export interface Report extends Plan, Reach, Reconciled {
  catalogue: { place: string; migrated: string[] };
  audit: { events: number; head: { sequence: number; hash: string } | null; key: RecoveredKey | null };
  evidence: number;
  histories: number;
  points: { repository: string; points: number }[];
  /** What the catalogue has as running: `up` takes it up or ends it. */
  running: string[];
  pausedPolicies: string[];
}

export function foundPoint(
  { labels, takenAt, id }: ControlPlanePoint,
  manifest: ControlPlaneManifest,
  of: number,
  now: Date,
): FoundPoint {
  const { repository, host, holdfast } = manifest;
  const ageSeconds = Math.max(0, Math.round((now.getTime() - Date.parse(takenAt)) / 1000));
  return { id: labels.point, takenAt, ageSeconds, snapshot: id, repository, host, holdfast, of };
}

/** `hostnames`: of all machines that stored a control plane there. */
export function planOf(from: FoundPoint, recovered: RecoveredConfiguration, hostnames: string[]): Plan {
  const { path, dataDir, notes, configuration } = recovered;
  const names = (items: readonly { name: string }[] = []) => items.map(({ name }) => name);
  return {
    from,
    dataDir,
    configuration: { path, written: false, notes },
    warnings: [
      ...(from.ageSeconds < ALIVE_SECONDS ? [maybeAlive(from)] : []),
      ...(hostnames.length > 1 ? [severalHosts(hostnames)] : []),
    ],
    assets: names(configuration?.assets),
    policies: names(configuration?.policies),
    drills: names(configuration?.drills),
  };
}

/** A service that is well stores itself at least so often, unless nothing happens in it. */
const ALIVE_SECONDS = 2 * 3600;

function maybeAlive({ host, ageSeconds }: FoundPoint): string {
  return `it was stored ${formatDuration(ageSeconds)} ago: make sure that the service on ${host} does not run any more; two of one name would undo each other's work`;
}

function severalHosts(hostnames: readonly string[]): string {
  return `control planes of ${[...hostnames].sort().join(', ')} are in this repository: if these are several services, make sure that this is the one you mean, and choose with --point`;
}

export async function reportOf(
  plan: Plan,
  { catalog, place, migrated }: RestoredCatalogue,
  manifest: ControlPlaneManifest,
  reconciled: Reconciled,
  reach: Reach,
): Promise<Report> {
  const { events, head } = await catalog.audit.verify();
  return {
    ...plan,
    ...reconciled,
    ...reach,
    catalogue: { place, migrated },
    audit: {
      events,
      head: events === 0 ? null : { sequence: head.sequence, hash: head.digest },
      key: await recoveredKey(plan.dataDir, catalog),
    },
    evidence: filesIn(manifest, bundlePaths.evidence).filter((path) => path.endsWith('.json')).length,
    histories: filesIn(manifest, bundlePaths.histories).length,
    points: await catalog.points.countByRepository(),
    running: await runningIn(catalog),
    pausedPolicies: [...(await catalog.policyPauses.open()).keys()],
  };
}

/** What came back, which may be less than the catalogue names. */
function filesIn({ files }: ControlPlaneManifest, folder: string): string[] {
  return files.map(({ path }) => path).filter((path) => path.startsWith(`${folder}/`));
}

async function runningIn(catalog: Catalog): Promise<string[]> {
  const jobs = await catalog.jobs.list({ status: ['running', 'waiting'], limit: 500 });
  const restores = await catalog.restores.list({
    status: ['preparing', 'prepared', 'committing', 'checking'],
    limit: 500,
  });
  return [
    ...jobs.items.map(({ workflowId }) => workflowId),
    ...restores.items.map(({ id }) => `restore/${id}`),
  ];
}
