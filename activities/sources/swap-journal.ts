// What a swap is about to do and what it must be able to undo, written before it is done. A crash at any
// point leaves a journal and entries whose identity (device and inode) says which of the steps were taken.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../hosts/if-there.ts';
import type { FolderMetadata } from '../../domain/recovery-point.ts';
import { writeDurably } from '../hosts/filesystem.ts';
import type { RawPath } from '../verify/raw-path.ts';

/** All paths absolute. */
export interface SwapPlan {
  /** Restored data brought onto the target's file system: renamed when it is there already, else copied. */
  brings: Bring[];
  /** Made by the swap because they were missing; their metadata is set when all is in them. */
  createdFolders: { path: RawPath; metadata: FolderMetadata | null }[];
  /** Folders of ours that hold what is set aside; removed in the end. */
  containers: RawPath[];
  /** Folders that stay but whose metadata the swap moves: what it was, and what it is to be. */
  keptFolders: { path: RawPath; before: FolderMetadata; after: FolderMetadata | null }[];
}

export interface Bring {
  source: RawPath;
  fresh: RawPath;
  how: 'rename' | 'copy';
  /** Of the source and of the folder it is in, which is restored data too: an undo puts them back. */
  sourceMtime: string | null;
  sourceFolderMtime: string | null;
}

/** One place: what is there goes to `aside`, what is at `fresh` comes in. */
export interface UnitPaths {
  target: RawPath;
  aside: RawPath;
  fresh: RawPath;
  /** The target of the unit this one belongs to: what a program makes here belongs to the file there. */
  companionOf?: RawPath;
}

export interface Unit extends UnitPaths {
  /** null: nothing was there, or nothing comes. */
  oldIdentity: string | null;
  newIdentity: string | null;
}

export type SwapState = 'bringing' | 'moving' | 'swapped' | 'undone' | 'settled';

export interface SwapJournal {
  version: 1;
  state: SwapState;
  plan: SwapPlan;
  /** Known from `moving` on. */
  units: Unit[];
}

export async function readJournal(folder: string): Promise<SwapJournal | null> {
  const text = await ifThere(readFile(journalFile(folder), 'utf8'));
  return text === null ? null : (JSON.parse(text) as SwapJournal);
}

export async function writeJournal(folder: string, journal: SwapJournal): Promise<void> {
  await writeDurably(journalFile(folder), JSON.stringify(journal));
}

function journalFile(folder: string): string {
  return join(folder, 'swap.json');
}
