import type { Proof } from './proof.ts';

/** `regular` points count for `latest`, objectives and retention; `safety` and `system` ones never do. */
export type PointKind = 'regular' | 'safety' | 'system';

export type AssetType = 'postgres' | 'sqlite' | 'directory';

/**
 * How the data was captured. `raw-files` is a copy of files as they lie, taken only as a safety point
 * when the source could not make a clean snapshot.
 */
export type CaptureMethod = 'dump' | 'sqlite-backup' | 'files' | 'raw-files';

/** One engine snapshot within an artifact, for example a dump or the roles that belong to it. */
export interface ArtifactPart {
  /** `files`, `database`, `dump`, `globals` … : unique within the artifact. */
  name: string;
  snapshotId: string;
  /** Absolute path inside the snapshot under which this part's content lies. */
  path: string;
}

/** The part that says what of the source could not be read; the others are the asset's data. */
export const UNREAD_PART = 'unread';

/** What a restore brings back. */
export function dataParts(copy: Pick<PointCopy, 'parts'>): ArtifactPart[] {
  return copy.parts.filter(({ name }) => name !== UNREAD_PART);
}

export interface PointCopy {
  repository: string;
  /** The engine snapshots, joined by `+` in the order of the parts: what a person gives to restic. */
  artifactId: string;
  parts: ArtifactPart[];
  storedAt: string;
  verifiedAt: string | null;
  provenAt: string | null;
  damagedAt: string | null;
}

export interface RecoveryPoint {
  id: string;
  asset: string;
  assetType: AssetType;
  policy: string | null;
  jobId: string | null;
  kind: PointKind;
  takenAt: string;
  method: CaptureMethod;
  proof: Proof;
  /**
   * What of the source could not be read, in words; null: everything was. A partial point is never more than
   * `stored`, and `latest` only where there is no whole one.
   */
  partial: string | null;
  /** Words a person gave it when it was asked for: see domain/tags.ts. */
  tags: string[];
  /** Size of the data as restored, and what this point added to its first repository. */
  bytes: number;
  addedBytes: number;
  copies: PointCopy[];
  manifest: Manifest | null;
  orphaned: boolean;
}

/** What was true of the data when it was captured; a rehearsal must find the same again. */
export type Manifest = DirectoryManifest | SqliteManifest | PostgresManifest | ControlPlaneSummary;

export interface DirectoryManifest {
  kind: 'directory';
  /** SHA-256 over every entry's path, type, mode, owner, mtime, link target, links, xattrs and content. */
  digest: string;
  files: number;
  directories: number;
  others: number;
  bytes: number;
  /** Entries that changed while they were read (first ones, as shown to a person) and how many in all. */
  changed: { count: number; examples: string[] };
  /** Sockets: seen, but no engine can bring them back. */
  notStored: { count: number; examples: string[] };
  /** The digest without what only root can restore: owners, set-id bits, system attributes. */
  unprivilegedDigest?: string;
  /** The folder itself, which the digest leaves out: an engine that restores into a folder leaves it as it is. */
  root?: FolderMetadata;
}

export interface FolderMetadata {
  mode: number;
  uid: number;
  gid: number;
  /** Nanoseconds since 1970. */
  mtime: string;
  /** Extended attributes, values in hexadecimal with a leading 0x. */
  attributes: Record<string, string>;
}

export interface SqliteManifest {
  kind: 'sqlite';
  fileName: string;
  bytes: number;
  sha256: string;
  tables: Record<string, number>;
}

export interface PostgresManifest {
  kind: 'postgres';
  database: string;
  /** `server_version_num`, for example 150018. */
  serverVersion: number;
  bytes: number;
  /** Rows per `schema.table`, counted in the snapshot the dump was made from. */
  tables: Record<string, number>;
}

/** Of the control plane's own: the ends of what is in it. The whole of it lies in the repository. */
export interface ControlPlaneSummary {
  kind: 'control-plane';
  files: number;
  bytes: number;
  migration: string;
  configurationDigest: string | null;
  audit: { sequence: number; hash: string } | null;
  evidence: { sequence: number; digest: string } | null;
}

/** Outcome of rehearsing a restored copy against its manifest and the asset's own checks. */
export interface ProofReport {
  ok: boolean;
  checks: { name: string; ok: boolean; detail: string }[];
}
