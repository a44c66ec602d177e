import type { PointKind } from '../../domain/recovery-point.ts';
import type { SnapshotPart } from '../sources/source.ts';
import type { Step } from '../step.ts';

/** Written into the repository itself, so that it alone can rebuild the catalogue (law 6). */
export interface PointLabels {
  point: string;
  asset: string;
  kind: PointKind;
  part: string;
  /** RFC 3339; becomes the engine snapshot's own time. */
  takenAt: string;
  /** Words a person gave the point; absent: none. */
  tags?: readonly string[];
  /** On the part that says so: what of the source could not be read. */
  partial?: string;
}

export interface StoredPart {
  part: string;
  snapshotId: string;
  /** Absolute path inside the snapshot under which the content lies. */
  path: string;
  files: number;
  bytes: number;
  /** What the repository grew by, compressed and encrypted. */
  addedBytes: number;
  /** Files that could not be read. Not empty: the point is partial and must not be called a success. */
  unreadable: string[];
  /** Those of them that the repository has lost of what it compared with: the source may be well. */
  lostFolders?: string[];
}

export interface EngineSnapshot {
  id: string;
  takenAt: string;
  paths: string[];
  tags: string[];
  /** Parsed from our own tags; null on a foreign snapshot. */
  labels: PointLabels | null;
  bytes: number | null;
  hostname: string;
  /** On a copy: the snapshot it was copied from. */
  original: string | null;
}

export interface RepositoryEntry {
  path: string;
  type: 'file' | 'dir' | 'symlink' | 'other';
  size: number;
  modifiedAt: string;
}

export interface ReadBack {
  ok: boolean;
  /** The engine's own words about what is wrong; empty when ok. */
  errors: string[];
  /** Engine snapshots that the damage hurts, also of other points, as far as the engine can tell. */
  damagedSnapshots: string[];
  /** What `repair` needs to know: the engine's own storage files that are missing or wrong. */
  damagedPacks: string[];
}

export interface RepositoryUse {
  storedBytes: number;
  /** Left on its file system; null where nobody can tell. */
  freeBytes: number | null;
}

/** What the reading of one group of a repository came to. */
export interface ShareReadBack extends ReadBack {
  /** Storage files in the group, and in the whole repository. 0 of more than 0 is an empty group. */
  packs: { read: number; total: number };
}

/** By the engine's own count. */
export interface Pruned {
  freedBytes: number;
  remainingBytes: number;
}

export interface RestoreRequest {
  snapshotId: string;
  /** Absolute path inside the snapshot; its content lands directly in `target`. */
  path: string;
  /** An empty or absent folder. */
  target: string;
  /** Paths relative to `path`; empty means everything. Taken literally, never as patterns. */
  include: string[];
  /** Size to expect, for progress. */
  expectedBytes: number | null;
}

/** Data of an attempt that was killed, found in no index: it will not be sent again. */
export interface Recovered {
  packs: number;
  bytes: number;
}

/**
 * Where recovery points are kept. Every method may run twice, may find a dead predecessor's lock or
 * half-written data, and reports failure as a HoldfastError: `repository.absent`,
 * `repository.wrongPassword`, `repository.locked`, `repository.full`, `repository.unreachable`,
 * `repository.damaged`, `cancelled`.
 */
export interface Repository {
  readonly name: string;
  /** Creates it when absent; `like` shares its chunker parameters so that copies stay deduplicated. */
  ensure(step: Step, like?: Repository): Promise<'created' | 'existing'>;
  /** Throws `repository.untrusted` where what is in front of it says that it encrypts, and does not. */
  requireEncrypting(step: Step): Promise<void>;
  /** The same for two repositories where one recognises what comes from the other. */
  chunker(step: Step): Promise<string>;
  /** Clears what a dead predecessor of ours left: its lock, its temporary files, its unsaved index. */
  recover(step: Step): Promise<Recovered>;
  /** `parent`: a snapshot to compare with, for a rerun after an interruption; null: none, every file is read. */
  store(part: SnapshotPart, labels: PointLabels, step: Step, parent?: string | null): Promise<StoredPart>;
  /** Copies these snapshots here; already copied ones are found, not sent again. Returns id → new id. */
  copyFrom(source: Repository, snapshotIds: string[], step: Step): Promise<Map<string, string>>;
  /** Whether these snapshots are there in whole, by the store's own lists; the content of files is not read. */
  arrived(snapshotIds: readonly string[], step: Step): Promise<ReadBack>;
  snapshots(filter: { point?: string; asset?: string }, step: Step): Promise<EngineSnapshot[]>;
  /** Reads back every byte these points refer to, once. A point that is not there is an error, never "ok". */
  readBack(points: readonly string[], step: Step): Promise<ReadBack>;
  /**
   * Reads back every byte of the n-th of `groups` groups into which all that is stored here is divided, whoever it
   * belongs to: which group a storage file is in never changes. Never ok when it cannot be told what was read.
   */
  readShare(group: number, groups: number, step: Step): Promise<ShareReadBack>;
  restore(request: RestoreRequest, step: Step): Promise<{ files: number; bytes: number }>;
  list(snapshotId: string, path: string, step: Step): Promise<RepositoryEntry[]>;
  forget(snapshotIds: string[], step: Step): Promise<void>;
  /** Without a lock: what a writer adds meanwhile may be in it or not. */
  measure(step: Step): Promise<RepositoryUse>;
  /** Gives back the space that no snapshot needs. */
  prune(step: Step): Promise<Pruned>;
  /** Whether what is left hangs together; no data is read. Throws `repository.damaged`. */
  check(step: Step): Promise<void>;
  /** Makes the repository accept again what was lost with damaged or missing packs (the next `store`
   * sends it anew). Never removes a snapshot. `damagedPacks` from a `readBack`; without them everything
   * in the repository is read to find them. */
  repair(step: Step, damagedPacks?: readonly string[]): Promise<void>;
}
