// Where a tool is, bringing it in if need be: the PATH if new enough, else the cache, else the release archive,
// else our own Go module.
import { HoldfastError } from '../domain/errors.ts';
import { defaultCacheDirectory } from './cache.ts';
import type { FindOptions } from './find-tool.ts';
import { findTool } from './find-tool.ts';
import type { Installers } from './install.ts';
import { manifest } from './manifest.ts';
import type { ToolName } from './manifest.ts';
import type { Progress } from './progress.ts';
import { silent } from './progress.ts';
import type { Attempt, Manifest, ResolvedTool, ToolDefinition } from './tool-definition.ts';

export type { ResolvedTool } from './tool-definition.ts';

export interface ResolveOptions extends FindOptions {
  /** False: what is not there already is an error, and nothing is downloaded or built. */
  install?: boolean;
  progress?: Progress;
  manifest?: Manifest;
  installers?: Partial<Installers>;
  /** How long to wait for another process that brings in the same tool. */
  waitSeconds?: number;
}

/** Throws `tool.missing`, which names every place and way that was tried and why each gave nothing. */
export async function resolveTool(name: ToolName, options?: ResolveOptions): Promise<ResolvedTool>;
export async function resolveTool(
  name: string,
  options: ResolveOptions & { manifest: Manifest },
): Promise<ResolvedTool>;
export async function resolveTool(name: string, options: ResolveOptions = {}): Promise<ResolvedTool> {
  const definition = definitionOf(name, options.manifest ?? manifest);
  const search = await findTool(name, definition, options);
  if (search.found) return search.found;
  if (definition.kind === 'system' || options.install === false)
    throw toolMissing(name, definition, search.attempts, options);
  const { installTool } = await import('./install.ts');
  const installed = await installTool(name, definition, {
    cacheDirectory: options.cacheDirectory ?? defaultCacheDirectory(),
    progress: options.progress ?? silent,
    installers: options.installers ?? {},
    waitSeconds: options.waitSeconds ?? 1200,
  });
  if (installed.found) return installed.found;
  throw toolMissing(name, definition, [...search.attempts, ...installed.attempts], options);
}

/** What a reader can do about a tool that is not there. */
export function toolHint(name: string, definition: ToolDefinition, cacheDirectory: string): string {
  if (definition.kind === 'system') {
    return `install it with the system's packages (Debian: apt-get install ${definition.debianPackage}; else see ${definition.homepage}), or run \`npm run setup\` where apt-get and root are at hand`;
  }
  const ways = [`put ${name} ${definition.minimum} or newer on the PATH (${definition.homepage})`];
  if (definition.maven) ways[0] = `install Maven and Java 11 or newer and let them reach Maven Central`;
  if (definition.release)
    ways.push(
      `let this machine reach ${new URL(definition.release.baseUrl).host} for the release archive, or put the program at ${cacheDirectory}/${name}/${definition.version}/${name} yourself`,
    );
  if (definition.go)
    ways.push('install Go 1.25 or newer (https://go.dev/dl), which builds the pinned module');
  return `${ways.length > 1 ? 'either ' : ''}${ways.join('; or ')}; then run \`npm run setup\``;
}

function definitionOf(name: string, known: Manifest): ToolDefinition {
  const definition = known[name];
  if (definition) return definition;
  throw new HoldfastError({
    code: 'internal',
    message: `the tool ${name} is not in the manifest`,
    cause: `tools/manifest.ts has ${Object.keys(known).join(', ')}`,
    hint: 'add it there, with its version and what needs it',
  });
}

function toolMissing(name: string, definition: ToolDefinition, attempts: Attempt[], options: ResolveOptions) {
  const wanted = definition.kind === 'pinned' ? `${name} ${definition.version}` : name;
  return new HoldfastError({
    code: 'tool.missing',
    message: `${wanted} is missing, needed by ${definition.neededBy.join(' and ')}`,
    cause: attempts.map(({ where, reason }) => `${where}: ${reason}`).join('\n'),
    hint: toolHint(name, definition, options.cacheDirectory ?? defaultCacheDirectory()),
  });
}
