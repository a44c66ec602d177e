import type { IntegrityFigures } from '../../domain/evidence/record.ts';
import type { Impact } from '../../domain/restore.ts';
import type { CaptureMethod, Manifest, ProofReport } from '../../domain/recovery-point.ts';
import type { Repository, StoredPart } from '../repositories/repository.ts';
import type { Step } from '../step.ts';

/** What a source hands to a repository: a folder to read, or a command whose output is the content. */
export type SnapshotPart =
  | {
      kind: 'folder';
      name: string;
      path: string;
      /** restic's pattern words, as the asset's configuration gives them. */
      exclude: string[];
    }
  | {
      kind: 'command';
      name: string;
      /** Argument list, never a shell string. Its failure fails the part. */
      command: string[];
      /** Secrets go here, never into the arguments. */
      env: Record<string, string>;
      fileName: string;
      expectedBytes: number | null;
    };

/** Private folders of the host (0700, on the data directory's file system) that a step may use. */
export interface Workspace {
  /** Persistent, one per asset: staged copies live here so that the next run can reuse them. */
  staging: string;
  /** Ends with the step; emptied before and after. */
  scratch: string;
}

export interface Capture {
  method: CaptureMethod;
  parts: SnapshotPart[];
  /**
   * After every part is stored: what was stored, for the rehearsal to compare with. `measured: false`
   * when the policy asks for no proof beyond `stored`, which makes it free.
   */
  settle(
    stored: StoredPart[],
    repository: Repository,
  ): Promise<{ manifest: Manifest | null; notes: string[] }>;
  /** Releases connections, exported snapshots and scratch files; always called, also after a failure. */
  close(): Promise<void>;
}

/** Folder per part, as the repository restored it. */
export type RestoredParts = Record<string, string>;

/** What a rehearsal found, and where what it restored can be used until `UseRehearsed` returns. */
export interface Rehearsed {
  report: ProofReport;
  expected: IntegrityFigures;
  found: IntegrityFigures;
  place: { kind: 'path'; path: string } | { kind: 'url'; url: string };
}

export type UseRehearsed = (rehearsed: Rehearsed) => Promise<void>;

export const NO_FIGURES: IntegrityFigures = {
  files: null,
  bytes: null,
  digest: null,
  tables: null,
  rows: null,
};

export interface CaptureOptions {
  /** false: take no manifest (the policy asks only for `stored`). */
  manifest: boolean;
}

/** Where a restore goes. `inPlace` is where the asset itself lives. */
export interface RestoreTarget {
  description: string;
  inPlace: boolean;
  /** A path, or a database name. */
  location: string;
}

export interface RestoreOrder {
  restoreId: string;
  target: RestoreTarget;
  restored: RestoredParts;
  include: string[];
  manifest: Manifest | null;
  /**
   * A folder of this restore on the data directory's file system, kept until the restore has ended:
   * journals that let a crashed swap be finished or undone lie here.
   */
  journal: string;
}

/**
 * One asset type. `A` is its configuration. Failures are HoldfastErrors: `source.missing`,
 * `source.unreadable`, `source.empty`, `source.invalid`, `source.unreachable`, `source.wrongPassword`,
 * `source.forbidden`, `source.versionTooNew`, `staging.full`, `target.*`, `cancelled`.
 */
export interface Source<A> {
  /** Cheap look before a job: is it there, may we read it, do the tools fit? Throws what is wrong. */
  preflight(asset: A, step: Step): Promise<void>;
  /** How much there is to store, found out quickly and rather too high. */
  size(asset: A, step: Step): Promise<number>;
  capture(asset: A, workspace: Workspace, step: Step, options: CaptureOptions): Promise<Capture>;
  /**
   * For the safety point before a commit: what is at `target` now. A clean capture when that works, raw
   * files when the source is broken, null when nothing is there.
   */
  captureForSafety(
    asset: A,
    target: RestoreTarget,
    workspace: Workspace,
    step: Step,
  ): Promise<Capture | null>;
  /**
   * Checks a restored copy in a sandbox against the manifest and the asset's own checks. `use` is called when it
   * could be opened, whatever the checks said: until it returns, the sandbox stays.
   */
  rehearse(
    asset: A,
    restored: RestoredParts,
    manifest: Manifest | null,
    workspace: Workspace,
    step: Step,
    use?: UseRehearsed,
  ): Promise<ProofReport>;

  /** `to`: the person's `--to`, or null for in place. Refuses what can never work. */
  resolveTarget(asset: A, to: string | null): Promise<RestoreTarget>;
  /** Writable, large enough, empty when it must be, not in use. Throws `target.*`. */
  checkTarget(asset: A, target: RestoreTarget, bytes: number, step: Step): Promise<void>;
  impact(asset: A, order: RestoreOrder, workspace: Workspace, step: Step): Promise<Impact>;
  /**
   * Puts the restored data in place and sets aside what was there. May run twice: after a crash it goes
   * on from the journal. Until it returns, `undo` must be able to bring the old state back.
   */
  swap(asset: A, order: RestoreOrder, step: Step): Promise<void>;
  /** Brings back exactly what was there before `swap`, from any state `swap` can have left. */
  undo(asset: A, order: RestoreOrder, step: Step): Promise<void>;
  /** After a healthy commit: removes what was set aside (the safety point has it). */
  settle(asset: A, order: RestoreOrder, step: Step): Promise<void>;
  /** For health checks: true when the SQL answers with one row whose first column is true. */
  holds(asset: A, target: RestoreTarget, sql: string, step: Step): Promise<boolean>;
}
