import { posix } from 'node:path';
import { HoldfastError } from '../domain/errors.ts';
import type { Asset } from '../domain/configuration/types.ts';
import { dataParts, type ArtifactPart, type CaptureMethod } from '../domain/recovery-point.ts';
import { runStep } from './activity-step.ts';
import type { AdoptSnapshots, HostActivities, PointFile } from './contract.ts';
import { derivedId } from './derived-id.ts';
import { assetOf, type Deployment } from './deployment.ts';
import { recordOwnPoints } from './own-points.ts';
import type { EngineSnapshot, Repository } from './repositories/repository.ts';
import type { Step } from './step.ts';

type LookSteps = Pick<HostActivities, 'listFiles' | 'adoptSnapshots'>;

const ENTRIES_AT_ONCE = 2000;

/** The hands that look into repositories without changing them. */
export function createLookSteps(deployment: Deployment): LookSteps {
  const { catalog, processes, clock } = deployment;
  return {
    listFiles: ({ point: reference, path }) =>
      runStep(
        {
          catalog,
          processes,
          clock,
          attempted: `listing ${path} failed`,
          key: `look.${reference}`,
          job: null,
          subject: `point/${reference}`,
        },
        async (step) => {
          const point = await catalog.points.find(reference);
          const { configuration } = await applied(deployment);
          const copy = point.copies.find((one) =>
            configuration.repositories.some((r) => r.name === one.repository),
          );
          const part = copy?.parts[0];
          if (!copy || !part) throw notReachable(point.id);
          const repository = await deployment.openRepository(configuration, copy.repository);
          if (point.assetType === 'postgres') return streamsOf(repository, dataParts(copy), step);
          const inside =
            path === '/' ? part.path : `${part.path.replace(/\/$/, '')}/${path.replace(/^\//, '')}`;
          const entries = await repository.list(part.snapshotId, inside, step);
          // As `--include` takes them: relative to what the asset is.
          return entries
            .slice(0, ENTRIES_AT_ONCE)
            .map((entry) => ({ ...entry, path: posix.relative(part.path, entry.path) }));
        },
      ),

    adoptSnapshots: (input) =>
      runStep(
        {
          catalog,
          processes,
          clock,
          attempted: `adopting snapshots of ${input.repository} failed`,
          key: `adopt.${input.repository}`,
          job: null,
          subject: `repository/${input.repository}`,
        },
        async (step) => {
          const { configuration } = await applied(deployment);
          const asset = assetOf(configuration, input.asset);
          const repository = await deployment.openRepository(configuration, input.repository);
          const listed = await repository.snapshots({}, step);
          const foreign = listed.filter((snapshot) => snapshot.labels === null);
          const named = input.snapshots.length > 0;
          const own = catalog.as(input.actor);
          const ids = named ? [] : await recordOwnPoints(own, input.repository, asset, listed);
          for (const snapshot of chosen(foreign, asset, input)) {
            const id = derivedId(input.repository, snapshot.id);
            await catalog.as(input.actor).points.record(
              {
                id,
                asset: asset.name,
                assetType: asset.type,
                policy: null,
                jobId: null,
                kind: 'regular',
                takenAt: snapshot.takenAt,
                method: METHODS[asset.type],
                bytes: snapshot.bytes ?? 0,
                addedBytes: 0,
                copies: [
                  {
                    repository: input.repository,
                    artifactId: snapshot.id,
                    parts: [partOf(asset, snapshot)],
                    storedAt: snapshot.takenAt,
                  },
                ],
                manifest: null,
              },
              null,
            );
            ids.push(id);
          }
          return ids;
        },
      ),
  };
}

/** A database's parts are files of their own, each alone in its snapshot. */
async function streamsOf(
  repository: Repository,
  parts: readonly ArtifactPart[],
  step: Step,
): Promise<PointFile[]> {
  const lists = parts.map((part) => repository.list(part.snapshotId, posix.dirname(part.path), step));
  return (await Promise.all(lists)).flat().map((entry) => ({ ...entry, path: posix.basename(entry.path) }));
}

const METHODS: Record<Asset['type'], CaptureMethod> = {
  directory: 'files',
  sqlite: 'raw-files',
  postgres: 'dump',
};
const PARTS: Record<Asset['type'], string> = { directory: 'files', sqlite: 'database', postgres: 'dump' };

async function applied(deployment: Deployment) {
  const current = await deployment.catalog.configurations.current();
  if (current) return current;
  throw new HoldfastError({
    code: 'notFound',
    message: 'no configuration was applied yet',
    cause: 'the catalogue holds none',
    hint: 'run `holdfast apply`',
  });
}

function chosen(foreign: EngineSnapshot[], asset: Asset, input: AdoptSnapshots): EngineSnapshot[] {
  if (input.snapshots.length === 0) {
    return asset.type === 'postgres' ? [] : foreign.filter((snapshot) => snapshot.paths.includes(asset.path));
  }
  return input.snapshots.map((wanted) => {
    const found = foreign.filter((snapshot) => snapshot.id.startsWith(wanted));
    if (found.length === 1) return found[0]!;
    throw new HoldfastError({
      code: 'point.unknown',
      message: `snapshot ${wanted} is not a foreign snapshot of ${input.repository}`,
      cause:
        found.length === 0 ? 'it is not there, or Holdfast made it' : 'several begin with these characters',
      hint: 'list them with `restic snapshots` and give the full id; those Holdfast made are taken without --snapshot',
    });
  });
}

function partOf(asset: Asset, snapshot: EngineSnapshot) {
  const own = asset.type === 'postgres' ? undefined : snapshot.paths.find((path) => path === asset.path);
  return { name: PARTS[asset.type], snapshotId: snapshot.id, path: own ?? snapshot.paths[0] ?? '/' };
}

function notReachable(point: string): HoldfastError {
  return new HoldfastError({
    code: 'point.unknown',
    message: `recovery point ${point} cannot be looked into`,
    cause: 'none of its repositories is in the applied configuration',
    hint: 'add the repository to the configuration again and run `holdfast apply`',
  });
}
