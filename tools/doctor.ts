// What `holdfast doctor` tells of this machine without a configuration: every tool and the ground they stand
// on. Downloads nothing, builds nothing.
import { constants } from 'node:fs';
import { access, readFile, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defaultCacheDirectory } from './cache.ts';
import type { FindOptions } from './find-tool.ts';
import { findTool } from './find-tool.ts';
import { manifest } from './manifest.ts';
import { toolHint } from './resolve.ts';
import type { Manifest, Origin, Purpose, ToolDefinition } from './tool-definition.ts';
import { isAtLeast } from './version.ts';

export interface ToolReport {
  name: string;
  version: string | null;
  path: string | null;
  origin: Origin | null;
  neededBy: string[];
  neededFor: Purpose;
  /** Found and new enough. Only a tool that is needed to `run` makes the whole unsound by its absence. */
  ok: boolean;
  /** What was looked at and what to do; empty when `ok`. */
  hint: string;
}

export interface CheckReport {
  name: string;
  ok: boolean;
  detail: string;
  hint: string;
}

export interface ToolInspection {
  tools: ToolReport[];
  checks: CheckReport[];
}

interface InspectOptions extends FindOptions {
  manifest?: Manifest;
}

export async function inspectTools(options: InspectOptions = {}): Promise<ToolInspection> {
  const cacheDirectory = options.cacheDirectory ?? defaultCacheDirectory();
  const definitions = Object.entries<ToolDefinition>(options.manifest ?? manifest);
  const tools = await Promise.all(
    definitions.map(([name, definition]) => inspectTool(name, definition, { ...options, cacheDirectory })),
  );
  const complete = tools.every((tool) => tool.ok || tool.neededFor !== 'run');
  const checks = await Promise.all([checkPlatform(), checkNode(), checkCache(cacheDirectory, complete)]);
  return { tools, checks };
}

/** Whether Holdfast can run here: tools that only the demo or the tests need have no say. */
export function isSound({ tools, checks }: ToolInspection): boolean {
  return tools.every((tool) => tool.ok || tool.neededFor !== 'run') && checks.every((check) => check.ok);
}

async function inspectTool(
  name: string,
  definition: ToolDefinition,
  options: FindOptions & { cacheDirectory: string },
): Promise<ToolReport> {
  const { found, attempts } = await findTool(name, definition, options);
  const { neededBy, neededFor } = definition;
  if (found) {
    const { version, path, origin } = found;
    return { name, version, path, origin, neededBy, neededFor, ok: true, hint: '' };
  }
  const seen = attempts.map(({ reason }) => reason).join('; ');
  const hint = `${seen}. ${toolHint(name, definition, options.cacheDirectory)}`;
  return { name, version: null, path: null, origin: null, neededBy, neededFor, ok: false, hint };
}

async function checkPlatform(): Promise<CheckReport> {
  const detail = `${process.platform} ${process.arch}`;
  const ok = process.platform === 'linux';
  return {
    name: 'platform',
    ok,
    detail,
    hint: ok ? '' : 'run Holdfast on Linux, the only system it is tested on',
  };
}

async function checkNode(): Promise<CheckReport> {
  const text = await readFile(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  const project = JSON.parse(text) as { engines: { node: string } };
  const minimum = project.engines.node.replace('>=', '');
  const ok = isAtLeast(process.version, minimum);
  return { name: 'node', ok, detail: process.version, hint: ok ? '' : `install Node.js ${minimum} or newer` };
}

/** Room for the Go builds of every tool at once. */
const wantedFreeBytes = 1024 ** 3;

/** A cache that can hold no more is a fault only while something has to go there. */
async function checkCache(cacheDirectory: string, complete: boolean): Promise<CheckReport> {
  const name = 'tool cache';
  try {
    const existing = await nearestExisting(cacheDirectory);
    await access(existing, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(existing);
    const free = bavail * bsize;
    const ok = complete || free >= wantedFreeBytes;
    const detail = `${cacheDirectory}, ${(free / 1024 ** 3).toFixed(1)} GiB free`;
    return { name, ok, detail, hint: ok ? '' : 'free 1 GiB there, or name another folder in HOLDFAST_TOOLS' };
  } catch (error) {
    const detail = `${cacheDirectory}: ${(error as Error).message}`;
    const hint = complete ? '' : 'make it writable, or name another folder in HOLDFAST_TOOLS';
    return { name, ok: complete, detail, hint };
  }
}

async function nearestExisting(directory: string): Promise<string> {
  try {
    await access(directory);
    return directory;
  } catch (error) {
    const parent = dirname(directory);
    if (parent === directory || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return nearestExisting(parent);
  }
}
