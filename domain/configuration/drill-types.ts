// A drill as the configuration asks for it. Plain JSON, and only types: workflows import this file.

import type { SecretReference } from '../secret-reference.ts';
import type { DrillScenario } from '../evidence/record.ts';
import type { Cadence, Command, DataClass } from './types.ts';

export interface Drill {
  name: string;
  /** Who answers for it: corrective actions are theirs. Absent: whoever ran it. */
  owner?: string;
  /** Its evidence is signed off by somebody other than who ran it. */
  fourEyes?: true;
  scenario: DrillScenario;
  /** What it brings back: all of these together, each asset once. */
  policies: string[];
  assets: string[];
  classes: DataClass[];
  /** The copy everything comes from: no other repository is opened. */
  from: string;
  select: DrillSelection;
  /** null: only by hand. */
  cadence: Cadence | null;
  objectives: { rtoSeconds: number | null; rpoSeconds: number | null };
  /** Started in the clean room before the smoke tests and ended after them; null: nothing is. */
  start: Command | null;
  smoke: SmokeTest[];
  /** Each smoke test has so long. */
  smokeSeconds: number;
  /** The outage that is played with the service itself; absent: it cannot be. */
  gameDay?: GameDay;
  /** Its key and its commands come from there instead of from the configuration. Absolute path. Absent: they do not. */
  kit?: { file: string; identity: SecretReference };
}

/** Never by a schedule: only a person who names the drill again may ask for it. */
export interface GameDay {
  /** Run one after another; afterwards the service is away and its data gone. */
  takeDown: Command[];
  /** What tells that the service is well. */
  watch: Watch;
  /** The outage has to be noticed within so long. */
  noticeSeconds: number;
  /** After the last restore the watch may need so long until all is well. */
  backSeconds: number;
}

export type Watch = { kind: 'http'; url: string } | { kind: 'command'; command: Command };

export type DrillSelection =
  | { rule: 'latest' }
  /** seed null: each run has its own, which stands in its evidence. */
  | { rule: 'random'; windowSeconds: number; seed: string | null };

/** `{port}` in a URL is the port of the run's own that `start` is told. */
export type SmokeTest = { kind: 'command'; command: Command } | { kind: 'http'; url: string };
