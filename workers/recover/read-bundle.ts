// A recovery point of the control plane, out of the repository and held against its own manifest.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ifThere } from '../../activities/hosts/if-there.ts';
import type { Repository } from '../../activities/repositories/repository.ts';
import type { Step } from '../../activities/step.ts';
import {
  appliedDocument,
  bundlePaths,
  controlPlaneManifest,
  type AppliedDocument,
  type ControlPlaneManifest,
} from '../../domain/control-plane/bundle.ts';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import type { ControlPlanePoint } from './choose-point.ts';

/** What has to be known before anything is changed. */
export interface Beginning {
  manifest: ControlPlaneManifest;
  /** The configuration's text; null: it was applied by a version that did not keep it. */
  source: string | null;
  /** null: nothing was applied when the point was taken. */
  applied: AppliedDocument | null;
}

/** `folder`: empty, for the few small files this takes. */
export async function readBeginning(
  repository: Repository,
  point: ControlPlanePoint,
  folder: string,
  step: Step,
): Promise<Beginning> {
  const target = join(folder, 'beginning');
  await mkdir(target, { recursive: true, mode: 0o700 });
  const include = [bundlePaths.manifest, CONFIGURATION_FOLDER];
  try {
    await repository.restore({ ...placeOf(point), target, include, expectedBytes: null }, step);
  } catch (error) {
    // Without a configuration that was ever applied there is no such folder; without a manifest it is told below.
    if (!(error instanceof HoldfastError && error.code === 'notFound')) throw error;
  }
  const text = (path: string) => ifThere(readFile(join(target, path), 'utf8'));
  const manifest = understood(controlPlaneManifest, await text(bundlePaths.manifest), point);
  if (manifest.pointId !== point.labels.point)
    throw altered(point, [`its manifest is the one of recovery point ${manifest.pointId}`]);
  const applied = manifest.configurationDigest === null ? null : await text(bundlePaths.applied);
  return {
    manifest,
    source: await text(bundlePaths.source),
    applied: manifest.configurationDigest === null ? null : understood(appliedDocument, applied, point),
  };
}

/** All of it, into an empty folder. Every file is what the manifest says, and there is no other. */
export async function readWhole(
  repository: Repository,
  point: ControlPlanePoint,
  { files }: ControlPlaneManifest,
  target: string,
  step: Step,
): Promise<void> {
  const expectedBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  await repository.restore({ ...placeOf(point), target, include: [], expectedBytes }, step);
  const expected = new Map(files.map((file) => [file.path, file]));
  const wrong: string[] = [];
  for (const path of await entriesOf(target)) {
    if (path === bundlePaths.manifest) continue;
    step.signal.throwIfAborted();
    const file = expected.get(path);
    expected.delete(path);
    if (!file) wrong.push(`${path} is not in the manifest`);
    else if ((await digestOf(join(target, path))) !== file.sha256) wrong.push(`${path} was changed`);
  }
  wrong.push(...[...expected.keys()].map((path) => `${path} is missing`));
  if (wrong.length > 0) throw altered(point, wrong);
}

const CONFIGURATION_FOLDER = 'configuration';

function placeOf({ id, paths }: ControlPlanePoint) {
  return { snapshotId: id, path: paths[0] ?? '/' };
}

function understood<T>(
  schema: { parse(value: unknown): T },
  text: string | null,
  point: ControlPlanePoint,
): T {
  if (text === null) throw altered(point, ['a file that is always in it is missing']);
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw altered(point, [`a file in it is not as this program writes it: ${wordsOf(error)}`]);
  }
}

/** Of everything that is no folder; what is no file either has no digest and so is never right. */
async function entriesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

async function digestOf(path: string): Promise<string | null> {
  if (!(await lstat(path)).isFile()) return null;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

const SHOWN = 5;

function altered({ labels, takenAt, id }: ControlPlanePoint, wrong: string[]): HoldfastError {
  const more = wrong.length > SHOWN ? `; and ${wrong.length - SHOWN} more` : '';
  return new HoldfastError({
    code: 'proof.failed',
    message: `nothing was recovered: recovery point ${labels.point} of the control plane (${takenAt}) is not what was stored`,
    cause: `snapshot ${id.slice(0, 8)}: ${wrong.slice(0, SHOWN).join('; ')}${more}`,
    hint: 'take an earlier one with --at or --point, or recover from another repository',
  });
}
