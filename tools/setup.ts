// Brings in every native tool that is missing, after saying which, why and how. `--tests` adds what only the
// tests need; `--quiet` says nothing when nothing is missing. Run as `npm run setup`.
import { realpathSync } from 'node:fs';
import { HoldfastError, asHoldfastError } from '../domain/errors.ts';
import { defaultCacheDirectory } from './cache.ts';
import { findTool } from './find-tool.ts';
import { manifest } from './manifest.ts';
import type { ToolName } from './manifest.ts';
import type { Progress } from './progress.ts';
import { progressOn, seconds } from './progress.ts';
import { resolveTool } from './resolve.ts';
import type { PinnedTool, Purpose, ToolDefinition } from './tool-definition.ts';

interface MissingTool {
  name: ToolName;
  definition: ToolDefinition;
}

async function setUp(purposes: Purpose[], progress: Progress, quiet = false): Promise<void> {
  const begun = Date.now();
  const wanted = namesFor(purposes);
  const missing = await missingAmong(wanted);
  if (missing.length === 0) {
    if (!quiet) progress.say(`all ${wanted.length} tools are there (${seconds(begun)})`);
    return;
  }
  announce(missing, progress);
  await installPackages(missing, progress);
  for (const { name } of missing) await resolveTool(name, { progress });
  progress.say(`all ${wanted.length} tools are there now (${seconds(begun)})`);
}

function namesFor(purposes: Purpose[]): ToolName[] {
  const names = Object.keys(manifest) as ToolName[];
  return names.filter((name) => purposes.includes(manifest[name].neededFor));
}

async function missingAmong(names: ToolName[]): Promise<MissingTool[]> {
  const searches = await Promise.all(
    names.map(async (name) => ({
      name,
      definition: manifest[name],
      search: await findTool(name, manifest[name]),
    })),
  );
  return searches.filter(({ search }) => search.found === undefined);
}

function announce(missing: MissingTool[], progress: Progress): void {
  const count = missing.length === 1 ? 'one tool is' : `${missing.length} tools are`;
  progress.say(`${count} missing and will be brought in:`);
  for (const debianPackage of packagesOf(missing)) {
    const its = missing.filter(({ definition }) => isFrom(debianPackage, definition));
    const names = its.map(({ name }) => name).join(', ');
    const neededBy = new Set(its.flatMap(({ definition }) => definition.neededBy));
    progress.say(`  ${names} for ${[...neededBy].join(', ')}: Debian package ${debianPackage}`);
  }
  for (const { name, definition } of missing) {
    if (definition.kind === 'system') continue;
    progress.say(`  ${name} for ${definition.neededBy.join(', ')}: ${wayOf(definition)}`);
  }
}

function packagesOf(missing: MissingTool[]): string[] {
  const packages = missing.flatMap(({ definition }) =>
    definition.kind === 'system' ? [definition.debianPackage] : [],
  );
  return [...new Set(packages)];
}

function isFrom(debianPackage: string, definition: ToolDefinition): boolean {
  return definition.kind === 'system' && definition.debianPackage === debianPackage;
}

function wayOf({ version, maven, go }: PinnedTool): string {
  if (maven) return `jars by Maven, about ${maven.usualSeconds} s`;
  return `release ${version}${go ? `, else its Go module in about ${go.usualSeconds} s` : ''}`;
}

async function installPackages(missing: MissingTool[], progress: Progress): Promise<void> {
  const packages = packagesOf(missing);
  if (packages.length === 0) return;
  const { findAptGet, installDebianPackages } = await import('./debian-packages.ts');
  const aptGet = await findAptGet();
  if ('reason' in aptGet) {
    const remaining = aptGet.present ? await unpackPackages(missing, progress) : missing;
    if (packagesOf(remaining).length > 0) throw packagesMissing(remaining, aptGet.reason);
    return;
  }
  progress.begin(`Debian packages ${packages.join(', ')}: their programs only, no service is started`);
  await installDebianPackages(packages, aptGet);
  progress.done(`Debian packages ${packages.join(', ')} installed`);
}

/** Without root: what can be unpacked into the cache is. Returns the rest. */
async function unpackPackages(missing: MissingTool[], progress: Progress): Promise<MissingTool[]> {
  const { unpackDebianTool } = await import('./unpack-debian.ts');
  const remaining: MissingTool[] = [];
  for (const tool of missing) {
    if (tool.definition.kind !== 'system') continue;
    const { debianPackage, relocatable } = tool.definition;
    if (!relocatable) {
      remaining.push(tool);
      continue;
    }
    try {
      progress.begin(`Debian package ${debianPackage}: this is not root, so it is unpacked into the cache`);
      await unpackDebianTool({ name: tool.name, debianPackage, cacheDirectory: defaultCacheDirectory() });
      progress.done(`Debian package ${debianPackage} unpacked`);
    } catch (error) {
      progress.gaveUp(`Debian package ${debianPackage}: ${(error as Error).message}`);
      remaining.push(tool);
    }
  }
  return remaining;
}

function packagesMissing(missing: MissingTool[], reason: string): HoldfastError {
  const names = missing.filter(({ definition }) => definition.kind === 'system').map(({ name }) => name);
  return new HoldfastError({
    code: 'tool.missing',
    message: `${names.join(', ')} can't be installed from here`,
    cause: reason,
    hint: `have these installed and run this again: on Debian or Ubuntu \`apt-get install ${packagesOf(missing).join(' ')}\`, elsewhere the packages with those programs`,
  });
}

if (realpathSync(process.argv[1]!) === import.meta.filename) {
  const purposes: Purpose[] = process.argv.includes('--tests') ? ['run', 'demo', 'tests'] : ['run', 'demo'];
  try {
    await setUp(purposes, progressOn(process.stderr), process.argv.includes('--quiet'));
  } catch (thrown) {
    const error = asHoldfastError(thrown, 'setting up the tools');
    process.stderr.write(
      `error: ${error.message}\n  cause: ${indented(error.cause)}\n  next:  ${error.hint}\n`,
    );
    process.exitCode = error.exitCode;
  }
}

function indented(text: string): string {
  return text.replaceAll('\n', '\n         ');
}
