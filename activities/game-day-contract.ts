import type { DrillRecord } from '../domain/evidence/record.ts';
import type { Failure } from '../domain/job.ts';
import type { DrillPlan } from './drill-contract.ts';

// What the workflow of a game day knows of the hands: as in contract.ts, which gives it out.

/** What the workflow needs of the drill's words. */
export interface GameDayTimes {
  noticeSeconds: number;
  backSeconds: number;
}

export interface WatchService {
  plan: DrillPlan;
  /** `well`: until the service is; `away`: until it is not. */
  until: 'well' | 'away';
  /** RFC 3339: since when the seconds count. */
  since: string;
  /** 0: one look. */
  seconds: number;
}

export interface Watched {
  /** It is as wanted. */
  seen: boolean;
  /** When that was seen, or given up. */
  at: string;
  /** What the watch said last. */
  words: string;
}

/** On the host's own task queue. */
export interface GameDayActivities {
  watchService(input: WatchService): Promise<Watched>;
  /**
   * Into the copy everything comes from: the game day counts on that repository alone. Held until the game day has
   * passed. null: nothing was there to keep.
   */
  takeGameDayPoint(input: {
    plan: DrillPlan;
    asset: string;
    safetyPoint: string;
    fences: { repository: string; fence: number }[];
  }): Promise<string | null>;
  /** Nothing of it is undone here. Started again when its worker died. */
  takeDown(plan: DrillPlan): Promise<TakenDown>;
}

export interface TakenDown extends Pick<DrillRecord, 'commands' | 'tools'> {
  failure: Failure | null;
  /** An attempt before it did not finish: what that one did is not among the commands. */
  interrupted: boolean;
  endedAt: string;
}

/** Only the catalogue. */
export interface GameDayControl {
  /** The same restore at every attempt. Returns its id. */
  orderRestore(input: { plan: DrillPlan; asset: string; point: string }): Promise<string>;
}
