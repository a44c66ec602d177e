// Puts together what a recovery point of the control plane holds, in a folder of the data directory that is
// nobody else's to read. What an attempt before this one left there goes first.

import { copyFile, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, posix } from 'node:path';
import type { Catalog } from '../../catalog/index.ts';
import {
  bundlePaths,
  CONTROL_PLANE_ASSET,
  type AppliedDocument,
  type ControlPlaneManifest,
} from '../../domain/control-plane/bundle.ts';
import { HoldfastError } from '../../domain/errors.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { folders, type Deployment } from '../deployment.ts';
import { ifThere } from '../hosts/if-there.ts';
import { linkOrCopy } from '../hosts/link-or-copy.ts';
import type { Step } from '../step.ts';
import { digestOfFile } from '../verify/file-digest.ts';
import { dumpCatalogue } from './dump-catalogue.ts';

export interface Gathered {
  folder: string;
  manifest: ControlPlaneManifest;
}

/** Lends the folder, and removes it however the work ends. */
export async function withGathered<T>(
  deployment: Pick<Deployment, 'catalog' | 'catalogUrl' | 'dataDir'>,
  point: { pointId: string; takenAt: string; repository: string },
  step: Step,
  work: (gathered: Gathered) => Promise<T>,
): Promise<T> {
  const folder = join(folders.staging(deployment.dataDir, CONTROL_PLANE_ASSET), point.repository);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    return await work({ folder, manifest: await gather(deployment, folder, point, step) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The catalogue first: a history it has on its chain was a file before. */
async function gather(
  { catalog, catalogUrl, dataDir }: Pick<Deployment, 'catalog' | 'catalogUrl' | 'dataDir'>,
  folder: string,
  point: { pointId: string; takenAt: string; repository: string },
  step: Step,
): Promise<ControlPlaneManifest> {
  const configurationDigest = await writeConfiguration(catalog, folder);
  const head = await dumpCatalogue(catalogUrl, join(folder, bundlePaths.dump), step);
  // Written once, by a rename, histories and evidence never change where they lie: a second name costs no room.
  const kept = [
    { from: folders.keys(dataDir), to: bundlePaths.keys, wanted: AUDIT_KEY, take: copyFile },
    { from: join(dataDir, 'histories'), to: bundlePaths.histories, wanted: HISTORY, take: linkOrCopy },
    { from: folders.evidence(dataDir), to: bundlePaths.evidence, wanted: EVIDENCE, take: linkOrCopy },
  ];
  for (const { from, to, wanted, take } of kept) {
    for (const path of await filesBelow(from)) {
      step.signal.throwIfAborted();
      if (!wanted.test(path)) continue;
      const target = join(folder, to, path);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      // Renamed or removed since it was listed: what took its place is in the next recovery point.
      await ifThere(take(join(from, path), target));
    }
  }
  const files: ControlPlaneManifest['files'] = [];
  for (const path of (await filesBelow(folder)).sort()) {
    const file = join(folder, path);
    const { size } = await lstat(file);
    files.push({ path, bytes: size, sha256: await digestOfFile(file, step, { size }) });
  }
  await refuseWithoutKey(catalog, files);
  const manifest: ControlPlaneManifest = {
    version: 1,
    ...point,
    ...head,
    host: hostname(),
    holdfast: packageFile.version,
    configurationDigest,
    files,
  };
  await writePrivately(join(folder, bundlePaths.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** A host that only works may have none, and nothing signs as this service after a recovery from what it stores. */
async function refuseWithoutKey(catalog: Catalog, files: ControlPlaneManifest['files']): Promise<void> {
  if (files.some(({ path }) => path === `${bundlePaths.keys}/audit-ed25519.key`)) return;
  const { keys } = await catalog.evidence.head();
  if (keys.size === 0) return;
  throw new HoldfastError({
    code: 'source.partial',
    message: 'the control plane was not stored: it would be without the key of the audit chain',
    cause: `the chain has ${[...keys.keys()].join(', ')}, and the data directory of ${hostname()} has no audit key`,
    hint: 'copy the `keys` folder of the service to the data directory of every host with a worker',
  });
}

/** Whatever else somebody keeps beside the audit chain's keys stays here: it may be a repository's. */
const AUDIT_KEY = /^audit-[^/]*$/;
/** Without what is just being written, which has another ending. */
const HISTORY = /\.json\.gz$/;
const EVIDENCE = /\.(json|md|html)$/;

async function writeConfiguration(catalog: Catalog, folder: string): Promise<string | null> {
  const applied = await catalog.configurations.current();
  if (!applied) return null;
  const written = await catalog.configurations.written();
  const document: AppliedDocument = { ...applied, path: written?.path ?? null };
  const file = join(folder, bundlePaths.applied);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writePrivately(file, `${JSON.stringify(document, null, 2)}\n`);
  if (written) await writePrivately(join(folder, bundlePaths.source), written.source);
  return applied.digest;
}

/** Relative, with "/" between. None where there is no such folder. */
async function filesBelow(folder: string, below = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of (await ifThere(readdir(join(folder, below), { withFileTypes: true }))) ?? []) {
    const path = posix.join(below, entry.name);
    if (entry.isDirectory()) found.push(...(await filesBelow(folder, path)));
    if (entry.isFile()) found.push(path);
  }
  return found;
}

async function writePrivately(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flag: 'wx' });
}
