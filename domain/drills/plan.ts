// A drill's record as far as it is known before anything is fetched, and what it becomes when the drill itself is
// lost: also that is evidence.

import type { Drill } from '../configuration/drill-types.ts';
import type { Configuration } from '../configuration/types.ts';
import type { DrillCheck, DrilledAsset, DrillRecord } from '../evidence/record.ts';
import type { Failure } from '../job.ts';
import type { RecoveryPoint } from '../recovery-point.ts';
import { policyWith } from '../chosen.ts';
import { mask, formatSecretReference } from '../secret-reference.ts';
import { assetsOfDrill, policiesOfDrill } from './scope.ts';

export interface ChosenPoint {
  asset: string;
  point: RecoveryPoint | null;
  /** How many there were to choose from. */
  candidates: number;
}

export interface PlanFacts {
  id: string;
  trigger: 'scheduled' | 'manual' | 'gameDay';
  dueAt: string | null;
  operator: string;
  digest: string;
  startedAt: string;
  seed: string | null;
  /** Corrective actions of earlier drills that wait for it. */
  retests: DrillRecord['drill']['retests'];
  environment: DrillRecord['environment'];
  clock: DrillRecord['clock'];
}

export function plannedRecord(
  configuration: Configuration,
  drill: Drill,
  chosen: readonly ChosenPoint[],
  facts: PlanFacts,
): DrillRecord {
  const assets = assetsOfDrill(configuration, drill);
  const repository = configuration.repositories.find(({ name }) => name === drill.from);
  const reference = repository ? mask(formatSecretReference(repository.password)) : '';
  return {
    drill: {
      id: facts.id,
      name: drill.name,
      trigger: facts.trigger,
      dueAt: facts.dueAt,
      retests: facts.retests,
      ...(drill.owner !== undefined && { owner: drill.owner }),
    },
    scenario: drill.scenario,
    configuration: {
      digest: facts.digest,
      policies: policiesOfDrill(configuration, drill),
    },
    sampling: {
      rule: drill.select.rule,
      windowSeconds: drill.select.rule === 'random' ? drill.select.windowSeconds : null,
      seed: facts.seed,
      candidates: chosen.reduce((sum, { candidates }) => sum + candidates, 0),
    },
    source: { repository: drill.from, type: repository?.type ?? 'restic', location: repository?.url ?? '' },
    startedAt: facts.startedAt,
    endedAt: facts.startedAt,
    clock: facts.clock,
    objectives: drill.objectives,
    measured: { rtoSeconds: null, rpoSeconds: null },
    assets: chosen.map((one) => plannedAsset(configuration, drill, one, facts.startedAt)),
    phases: [],
    smoke: drill.smoke.map((test): DrillCheck => notCarriedOut(smokeName(test))),
    production: assets.map((asset) => ({
      asset,
      method: 'notAccessible',
      why: `the drill resolved no address and no secret of ${asset} and opened no repository but ${drill.from}; what it wrote went into a folder of its own that is gone`,
    })),
    keys: [
      { repository: drill.from, reference, from: repository?.password.kind ?? 'unknown' },
      ...Object.entries(repository?.env ?? {}).map(([name, secret]) => ({
        repository: drill.from,
        reference: `${name}: ${mask(formatSecretReference(secret))}`,
        from: secret.kind,
      })),
    ],
    tools: [],
    commands: [],
    failures: [],
    actions: [],
    environment: facts.environment,
    operator: facts.operator,
    approver: null,
  };
}

/** Words of the user's own may hold anything: only the program is shown. */
export function smokeName(test: Drill['smoke'][number]): string {
  return test.kind === 'http' ? `GET ${test.url}` : test.command[0];
}

export function notCarriedOut(name: string, detail = 'the drill did not come so far'): DrillCheck {
  return { name, ok: null, detail };
}

/** It ended without saying how: its worker died at every attempt, or nobody foresaw what happened. */
export function lostRecord(record: DrillRecord, failure: Failure, endedAt: string): DrillRecord {
  const { code, message, cause, hint } = failure;
  return { ...record, endedAt, failures: [{ asset: null, phase: 'drill', code, message, cause, hint }] };
}

function plannedAsset(
  configuration: Configuration,
  drill: Drill,
  { asset: name, point }: ChosenPoint,
  startedAt: string,
): DrilledAsset {
  const asset = configuration.assets.find((one) => one.name === name);
  const policy = policyWith(configuration, name);
  const copy = point?.copies.find(({ repository }) => repository === drill.from);
  const ageSeconds = point ? Math.max(0, (Date.parse(startedAt) - Date.parse(point.takenAt)) / 1000) : null;
  const latest = drill.select.rule === 'latest';
  return {
    asset: name,
    assetType: asset?.type ?? 'unknown',
    class: asset?.class ?? 'standard',
    owner: asset?.owner ?? null,
    policy: policy?.name ?? null,
    point:
      point && copy && ageSeconds !== null
        ? {
            id: point.id,
            takenAt: point.takenAt,
            ageSeconds,
            proof: point.proof,
            parts: copy.parts.map(({ name: part, snapshotId }) => ({ name: part, snapshotId })),
          }
        : null,
    restored: false,
    // A point chosen at random says nothing of how much would have been lost.
    rpo: {
      objectiveSeconds: latest ? (policy?.objectives.rpoSeconds ?? null) : null,
      achievedSeconds: latest ? ageSeconds : null,
    },
    rto: { objectiveSeconds: policy?.objectives.rtoSeconds ?? null, achievedSeconds: null },
    integrity: null,
    checks: [],
  };
}
