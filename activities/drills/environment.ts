// Where a drill is held: the one thing the rest of the drill knows of it. Whatever it is made of, it is empty when it
// is prepared, has only what was restored into it, and is gone when it was torn down.

import type { Drill } from '../../domain/configuration/drill-types.ts';
import type { Rehearsed, Workspace } from '../sources/source.ts';
import type { Step } from '../step.ts';
import type { Smoked } from './smoke.ts';

export interface DrillEnvironment {
  /** Ends what an attempt before has left running there. */
  endProcesses(): Promise<void>;
  /** Makes it, or refuses with what is needed and what there is, before anything is fetched. */
  prepare(neededBytes: number, attempted: string): Promise<void>;
  /** For Holdfast itself, absent until it is used: it is gone before anything of the user's own runs there. */
  readonly ownFolder: string;
  /** Where an asset comes back. */
  placeFor(asset: string): Promise<AssetPlace>;
  /** Runs the work with a step that is stopped in good time when there is no room left. */
  whileThereIsRoom<T>(step: Step, attempted: string, work: (step: Step) => Promise<T>): Promise<T>;
  /** Runs the application and the smoke tests beside what came back. */
  use(drill: Drill, order: UseOrder, step: Step): Promise<Used>;
  /** Also what was never prepared. */
  tearDown(): Promise<void>;
}

export interface AssetPlace {
  /** The repository writes here. */
  restored: string;
  workspace: Workspace;
}

export interface UseOrder {
  /** Of the configuration: commands are run from there. */
  folder: string;
  placed: { asset: string; place: Rehearsed['place'] }[];
}

export interface Used extends Smoked {
  /** What of production could be reached by what ran there, in words for the evidence. */
  reach: string;
}
