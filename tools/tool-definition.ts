// What the manifest says of a tool: where it may come from, how it tells its version, and who needs it.

export type ToolDefinition = PinnedTool | SystemTool;

export type Manifest = Record<string, ToolDefinition>;

/** Brought in by Holdfast itself, in exactly `version`, when the PATH has none that is new enough. */
export interface PinnedTool extends CommonDefinition {
  kind: 'pinned';
  version: string;
  release?: ReleaseArchive;
  go?: GoModule;
  maven?: MavenProject;
}

/** Comes with the operating system's packages; never downloaded or built. */
export interface SystemTool extends CommonDefinition {
  kind: 'system';
  debianPackage: string;
  /** The package's files work from any place, so a user who is not root can have them in the cache. */
  relocatable?: true;
  /** Looked into before the PATH, newest first; one `*` a pattern. */
  directories?: string[];
}

interface CommonDefinition {
  minimum: string;
  /** Absent: the program can't tell, so none is looked for on the PATH and a cached one is what its folder says. */
  probe?: VersionProbe;
  /** Completes "needed by …". */
  neededBy: string[];
  neededFor: Purpose;
  /** Where a reader finds the tool's own instructions. */
  homepage: string;
}

/** `run` is every installation; `demo` and `tests` need more, and their tools missing is no fault. */
export type Purpose = 'run' | 'demo' | 'tests';

export interface VersionProbe {
  args: string[];
  /** Its first group is the version. Standard output and standard error are both searched. */
  pattern: RegExp;
}

export interface ReleaseArchive {
  /** Folder the archive and its checksum file are in, with the closing slash. */
  baseUrl: string;
  archive(platform: Platform): string;
  /** A file of `sha256sum` lines beside the archive, fetched unless the archive is in `sha256`. */
  checksums: string;
  sha256?: Record<string, string>;
}

interface GoModule {
  /** The command's package, built from our own module in `tools/go/<tool>`, whose go.sum checks it. */
  package: string;
  linkerFlags: string;
  /** On two cores with empty caches. */
  usualSeconds: number;
}

interface MavenProject {
  /** Folder of pom.xml and SHA256SUMS, relative to this one. */
  directory: string;
  mainClass: string;
  usualSeconds: number;
}

/** Go's names, which release archives use too. */
interface Platform {
  os: string;
  arch: string;
}

export type Origin = 'path' | 'cache' | 'release' | 'go' | 'maven' | 'system';

export interface ResolvedTool {
  name: string;
  path: string;
  version: string;
  origin: Origin;
}

/** A place that was looked at, or a way that was tried, and why it gave no tool. */
export interface Attempt {
  where: string;
  reason: string;
}

export function currentPlatform(): Platform {
  return { os: process.platform, arch: process.arch === 'x64' ? 'amd64' : process.arch };
}
