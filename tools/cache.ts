// The tools Holdfast brought in itself: `<cache>/<tool>/<version>/<tool>`. A version's folder appears whole or
// not at all: it is filled under `.staging`, flushed to disk, then renamed.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import envPaths from 'env-paths';

export function defaultCacheDirectory(): string {
  const chosen = process.env['HOLDFAST_TOOLS'];
  return chosen ? resolve(chosen) : envPaths('holdfast').cache;
}

export function cachedToolPath(cacheDirectory: string, name: string, version: string): string {
  return join(cacheDirectory, name, version, name);
}

/** Stands in a version's place for what is unpacked from the distribution's packages, whose versions are its own. */
export const unpackedVersion = 'debian';

export function lockDirectory(cacheDirectory: string, name: string, version: string): string {
  return join(cacheDirectory, '.locks', `${name}-${version}`);
}

/** An empty folder to fill. The caller holds the tool's lock, so what an earlier owner left there is dead. */
export async function beginStaging(cacheDirectory: string, name: string, version: string): Promise<string> {
  const parent = join(cacheDirectory, '.staging', `${name}-${version}`);
  await rm(parent, { recursive: true, force: true });
  const staging = join(parent, randomUUID());
  await mkdir(staging, { recursive: true });
  return staging;
}

/** Makes a filled folder the version's own, in place of a damaged one that may be there. */
export async function publishStaging(
  staging: string,
  cacheDirectory: string,
  name: string,
  version: string,
): Promise<string> {
  const target = join(cacheDirectory, name, version);
  const replaced = `${staging}.replaced`;
  await flushTree(staging);
  await mkdir(dirname(target), { recursive: true });
  await rename(target, replaced).catch(ignoreAbsent);
  await rename(staging, target);
  await flush(dirname(target));
  await endStaging(staging);
  return join(target, name);
}

export async function endStaging(staging: string): Promise<void> {
  await rm(dirname(staging), { recursive: true, force: true });
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function flushTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await flushTree(path);
    else if (entry.isFile()) await flush(path);
  }
  await flush(directory);
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
