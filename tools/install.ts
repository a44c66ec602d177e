// Brings a pinned tool into the cache by the first way that works, one process at a time.
import { join } from 'node:path';
import { beginStaging, endStaging, lockDirectory, publishStaging } from './cache.ts';
import type { Search } from './find-tool.ts';
import { findInCache } from './find-tool.ts';
import { buildGoModule } from './install-go.ts';
import { copyMavenJars } from './install-maven.ts';
import { downloadRelease } from './install-release.ts';
import { withLock } from './lock.ts';
import { askVersion } from './probe.ts';
import type { Progress } from './progress.ts';
import type { Attempt, PinnedTool } from './tool-definition.ts';
import { compareVersions } from './version.ts';

export interface InstallRequest {
  name: string;
  definition: PinnedTool;
  /** An empty folder; the program goes into it under the tool's name. */
  directory: string;
}

/** Fills the folder, or throws an error whose message is the reason it could not. */
export type Installer = (request: InstallRequest) => Promise<void>;

type InstallOrigin = 'release' | 'go' | 'maven';

export type Installers = Record<InstallOrigin, Installer>;

interface InstallContext {
  cacheDirectory: string;
  progress: Progress;
  installers: Partial<Installers>;
  waitSeconds: number;
}

export async function installTool(
  name: string,
  definition: PinnedTool,
  context: InstallContext,
): Promise<Search> {
  const { cacheDirectory, progress, waitSeconds } = context;
  const purpose = `installing ${name} ${definition.version}`;
  const onWait = (owner: number) =>
    progress.say(`… ${purpose}: process ${owner} does it already, waiting for it`);
  try {
    return await withLock(
      lockDirectory(cacheDirectory, name, definition.version),
      { purpose, waitSeconds, onWait },
      async () => {
        const meanwhile = await findInCache(name, definition, { cacheDirectory });
        return meanwhile.found ? meanwhile : installUnderLock(name, definition, context);
      },
    );
  } catch (error) {
    if (!isUnwritable(error)) throw error;
    return {
      attempts: [{ where: 'cache', reason: `${cacheDirectory} can't be written to: ${messageOf(error)}` }],
    };
  }
}

async function installUnderLock(
  name: string,
  definition: PinnedTool,
  context: InstallContext,
): Promise<Search> {
  const { cacheDirectory, progress } = context;
  const installers: Installers = { ...realInstallers, ...context.installers };
  const attempts: Attempt[] = [];
  for (const way of waysOf(definition)) {
    const directory = await beginStaging(cacheDirectory, name, definition.version);
    progress.begin(`${name} ${definition.version} for ${definition.neededBy.join(', ')}: ${way.doing}`);
    try {
      await installers[way.origin]({ name, definition, directory });
      await checkVersion(join(directory, name), definition);
      const path = await publishStaging(directory, cacheDirectory, name, definition.version);
      progress.done(`${name} ${definition.version} ${way.did}`);
      return { found: { name, path, version: definition.version, origin: way.origin }, attempts };
    } catch (error) {
      if (isUnwritable(error)) throw error;
      attempts.push({ where: way.where, reason: messageOf(error) });
      progress.gaveUp(`${name} ${definition.version}, ${way.where}: ${messageOf(error).split('\n')[0]}`);
    } finally {
      await endStaging(directory);
    }
  }
  return { attempts };
}

interface Way {
  origin: InstallOrigin;
  where: string;
  doing: string;
  did: string;
}

function waysOf(definition: PinnedTool): Way[] {
  const { release, go, maven } = definition;
  const ways: Way[] = [];
  if (release)
    ways.push({
      origin: 'release',
      where: 'release archive',
      doing: 'downloading its release archive',
      did: 'downloaded, its SHA-256 checked',
    });
  if (go)
    ways.push({
      origin: 'go',
      where: 'Go module',
      doing: `building its Go module (about ${go.usualSeconds} s on two cores)`,
      did: 'built from its Go module',
    });
  if (maven)
    ways.push({
      origin: 'maven',
      where: 'Maven',
      doing: `fetching its jars with Maven (about ${maven.usualSeconds} s)`,
      did: 'fetched with Maven, the SHA-256 of each jar checked',
    });
  return ways;
}

const realInstallers: Installers = { release: downloadRelease, go: buildGoModule, maven: copyMavenJars };

async function checkVersion(path: string, definition: PinnedTool): Promise<void> {
  if (!definition.probe) return;
  const answer = await askVersion(path, definition.probe);
  if ('reason' in answer) throw new Error(answer.reason);
  if (compareVersions(answer.version, definition.version) === 0) return;
  throw new Error(`what came is ${answer.version} where ${definition.version} was asked for`);
}

function isUnwritable(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR'].includes(code);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
