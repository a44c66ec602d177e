// Looks for a tool where it may already be, and says of each place why it gave none. Changes nothing.
import { readdir, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { cachedToolPath, defaultCacheDirectory, isExecutable, unpackedVersion } from './cache.ts';
import { probeVersion } from './probe.ts';
import type {
  Attempt,
  Origin,
  PinnedTool,
  ResolvedTool,
  SystemTool,
  ToolDefinition,
} from './tool-definition.ts';
import { isAtLeast } from './version.ts';

export interface FindOptions {
  cacheDirectory?: string;
  /** Folders in the PATH's order. */
  searchPath?: string[];
}

export interface Search {
  found?: ResolvedTool;
  attempts: Attempt[];
}

// Daemons live here, and a plain user's PATH often lacks them.
const administrationDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export async function findTool(
  name: string,
  definition: ToolDefinition,
  options: FindOptions = {},
): Promise<Search> {
  return definition.kind === 'system'
    ? findSystemTool(name, definition, options)
    : findPinnedTool(name, definition, options);
}

/** The copy Holdfast brought in itself, if it is there and whole. */
export async function findInCache(
  name: string,
  definition: PinnedTool,
  options: FindOptions = {},
): Promise<Search> {
  const cacheDirectory = options.cacheDirectory ?? defaultCacheDirectory();
  const path = cachedToolPath(cacheDirectory, name, definition.version);
  const search = await firstUsable([path], 'cache', name, definition, cacheDirectory);
  if (search.found || search.attempts.length > 0) return search;
  return { attempts: [{ where: 'cache', reason: `there is no ${path}` }] };
}

function defaultSearchPath(): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => resolve(folder));
}

async function findPinnedTool(name: string, definition: PinnedTool, options: FindOptions): Promise<Search> {
  const onPath = definition.probe ? await findOnPath(name, definition, options) : { attempts: [] };
  if (onPath.found) return onPath;
  const inCache = await findInCache(name, definition, options);
  return { ...inCache, attempts: [...onPath.attempts, ...inCache.attempts] };
}

async function findOnPath(name: string, definition: PinnedTool, options: FindOptions): Promise<Search> {
  const folders = options.searchPath ?? defaultSearchPath();
  const candidates = folders.map((folder) => join(folder, name));
  const cacheDirectory = options.cacheDirectory ?? defaultCacheDirectory();
  const search = await firstUsable(candidates, 'path', name, definition, cacheDirectory);
  if (search.found || search.attempts.length > 0) return search;
  return { attempts: [{ where: 'PATH', reason: `no ${name} in its ${folders.length} folders` }] };
}

async function findSystemTool(name: string, definition: SystemTool, options: FindOptions): Promise<Search> {
  const packaged = await expandDirectories(definition.directories ?? []);
  const folders = [...packaged, ...(options.searchPath ?? defaultSearchPath()), ...administrationDirectories];
  const candidates = [...new Set(folders)].map((folder) => join(folder, name));
  const cacheDirectory = options.cacheDirectory ?? defaultCacheDirectory();
  const installed = await firstUsable(candidates, 'system', name, definition, cacheDirectory);
  if (installed.found) return installed;
  const unpacked = cachedToolPath(cacheDirectory, name, unpackedVersion);
  const inCache = await firstUsable([unpacked], 'cache', name, definition, cacheDirectory);
  const search = { ...inCache, attempts: [...installed.attempts, ...inCache.attempts] };
  if (search.found || search.attempts.length > 0) return search;
  const also = definition.directories ? `, ${definition.directories.join(', ')}` : '';
  return { attempts: [{ where: 'PATH', reason: `no ${name} on the PATH${also}` }] };
}

async function firstUsable(
  candidates: string[],
  origin: Origin,
  name: string,
  definition: ToolDefinition,
  cacheDirectory: string,
): Promise<Search> {
  const attempts: Attempt[] = [];
  for (const path of candidates) {
    if (!(await isProgram(path))) continue;
    const answer = await versionOf(path, definition, cacheDirectory);
    if ('reason' in answer) attempts.push({ where: whereWords[origin], reason: answer.reason });
    else if (isAtLeast(answer.version, definition.minimum))
      return { found: { name, path, version: answer.version, origin }, attempts };
    else
      attempts.push({
        where: whereWords[origin],
        reason: `${path} is ${answer.version}, older than ${definition.minimum}`,
      });
  }
  return { attempts };
}

const whereWords: Record<Origin, string> = {
  path: 'PATH',
  cache: 'cache',
  release: 'release archive',
  go: 'Go module',
  maven: 'Maven',
  system: 'PATH',
};

async function versionOf(path: string, definition: ToolDefinition, cacheDirectory: string) {
  if (definition.probe) return probeVersion(path, definition.probe, cacheDirectory);
  return definition.kind === 'pinned'
    ? { version: definition.version }
    : { reason: `${path} can't tell its version` };
}

async function isProgram(path: string): Promise<boolean> {
  if (!(await isExecutable(path))) return false;
  return (await stat(path)).isFile();
}

async function expandDirectories(patterns: string[]): Promise<string[]> {
  const expanded = await Promise.all(patterns.map(expandPattern));
  return expanded.flat();
}

/** `/usr/lib/postgresql/*`+`/bin` → the folders there are, the highest number first. */
async function expandPattern(pattern: string): Promise<string[]> {
  const segments = pattern.split('/');
  const starred = segments.findIndex((segment) => segment.includes('*'));
  const parent = segments.slice(0, starred).join('/');
  const [prefix = '', suffix = ''] = segments[starred]!.split('*');
  const names = await readdir(parent).catch(() => []);
  return names
    .filter((entry) => entry.startsWith(prefix) && entry.endsWith(suffix))
    .sort((left, right) => right.localeCompare(left, 'en', { numeric: true }))
    .map((entry) => [parent, entry, ...segments.slice(starred + 1)].join('/'));
}
