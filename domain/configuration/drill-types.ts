// A drill as the configuration asks for it. Plain JSON, and only types: workflows import this file.

import type { SecretReference } from '../secret-reference.ts';
import type { DrillScenario } from '../evidence/record.ts';
import type { Cadence, Command, DataClass } from './types.ts';

export interface Drill {
  name: string;
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
  /** Its key and its commands come from there instead of from the configuration. Absolute path. Absent: they do not. */
  kit?: { file: string; identity: SecretReference };
}

export type DrillSelection =
  | { rule: 'latest' }
  /** seed null: each run has its own, which stands in its evidence. */
  | { rule: 'random'; windowSeconds: number; seed: string | null };

/** `{port}` in a URL is the port of the run's own that `start` is told. */
export type SmokeTest = { kind: 'command'; command: Command } | { kind: 'http'; url: string };
