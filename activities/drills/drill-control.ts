// Where a drill begins and ends in the catalogue. Its points are chosen once and held until it has ended; what it
// found is settled before its job is ended, so that whoever dies in between settles nothing twice.

import { plannedRecord } from '../../domain/drills/plan.ts';
import { drillHolder } from '../../domain/drills/holder.ts';
import { assetsOfDrill, drillOf, gameDayOf } from '../../domain/drills/scope.ts';
import { verdictOf, type DrillVerdict } from '../../domain/evidence/outcome.ts';
import { statementIn } from '../../domain/evidence/files.ts';
import type { DrillRecord } from '../../domain/evidence/record.ts';
import type { Failure, JobStatus } from '../../domain/job.ts';
import type { BeginDrill, DrillPlan, EndDrill } from '../contract.ts';
import type { Deployment } from '../deployment.ts';
import { chosenPoints, provenPoints } from './choose-points.ts';
import { resultMessages } from './drill-results.ts';
import { environmentFacts } from './local-processes.ts';
import { clockFacts } from './room-facts.ts';

export async function beginDrill(deployment: Deployment, input: BeginDrill): Promise<DrillPlan> {
  const { clock, hostQueue } = deployment;
  const catalog = deployment.catalog.as(input.actor);
  const applied = await catalog.configurations.current();
  const drill = drillOf(applied?.configuration ?? null, input.drill);
  const { configuration, digest } = applied!;
  const { drillId: id, workflowId, trigger } = input;
  const startedAt = clock().toISOString();
  const gameDay = input.gameDay ? gameDayOf(drill) : null;
  const row = await catalog.drills.begin({
    job: {
      ...{ id, workflowId, trigger, startedAt },
      type: 'drill',
      policy: null,
      assets: assetsOfDrill(configuration, drill),
    },
    drill: drill.name,
    scenario: drill.scenario,
    repository: drill.from,
    gameDay: gameDay !== null,
  });
  const played = gameDay ? ({ ...drill, select: { rule: 'latest' } } as const) : drill;
  const seed = played.select.rule === 'random' ? (played.select.seed ?? id) : null;
  const choose = () =>
    gameDay
      ? provenPoints(catalog, configuration, drill, clock())
      : chosenPoints(catalog, configuration, drill, seed, clock());
  const record =
    row.record ??
    (await catalog.drills.plan(
      id,
      plannedRecord(configuration, played, await choose(), {
        ...{ id, seed, digest },
        trigger: gameDay ? 'gameDay' : trigger === 'schedule' ? 'scheduled' : 'manual',
        dueAt: input.dueAt,
        operator: input.actor,
        retests: await catalog.drills.openActions(drill.name),
        startedAt: row.startedAt,
        environment: environmentFacts(),
        clock: await clockFacts(),
      }),
    ));
  for (const { point } of record.assets) {
    if (point === null) continue;
    const reason = `drill ${record.drill.name} restores it`;
    await catalog.holds.place(point.id, { kind: 'other', owner: drillHolder(id), reason });
  }
  const { digest: begunWith } = record.configuration;
  const { repository } = record.source;
  return {
    ...{ drillId: id, drill: record.drill.name, repository, hostQueue, record },
    configuration: begunWith,
    actor: input.actor,
    ...(gameDay && { gameDay: { noticeSeconds: gameDay.noticeSeconds, backSeconds: gameDay.backSeconds } }),
  };
}

export async function endDrill(deployment: Deployment, input: EndDrill): Promise<JobStatus> {
  const { drillId, record, evidence } = input;
  const catalog = deployment.catalog.as(input.actor);
  const verdict = record && verdictOf(record);
  if (record && verdict && evidence && !input.error) {
    const signed = await catalog.evidence.find(drillId);
    await catalog.drills.settle(drillId, {
      record: statementIn(signed.envelope).predicate.record,
      outcome: evidence.outcome,
      reason: verdict.reasons.map(({ asset, what }) => (asset ? `${asset}: ${what}` : what)).join('; '),
      evidence: evidence.path,
      evidenceSequence: evidence.sequence,
      messages: await resultMessages(deployment, signed, evidence.path),
    });
  }
  if (record && verdict && !input.error) {
    for (const drilled of record.assets) {
      const error = failureOfAsset(record, verdict, drilled.asset);
      const status = error ? 'failed' : 'success';
      await catalog.jobs.setAsset(drillId, drilled.asset, {
        ...{ status, error },
        ...(drilled.point && { recoveryPointId: drilled.point.id }),
        ...(drilled.restored && !error && { proof: 'proven' as const }),
      });
    }
  }
  const status = statusFor(input, verdict);
  await catalog.jobs.end(drillId, {
    status,
    error: input.error ?? (record && verdict ? failureOfDrill(record, verdict) : null),
    endedAt: deployment.clock().toISOString(),
  });
  return status;
}

function statusFor(
  { record, error }: EndDrill,
  verdict: DrillVerdict | null,
): Exclude<JobStatus, 'running' | 'waiting'> {
  if (error) return 'failed';
  if (!record || !verdict) return 'cancelled';
  if (verdict.outcome === 'passed') return 'success';
  return verdict.outcome === 'failed' ? 'failed' : 'warning';
}

function failureOfAsset(record: DrillRecord, verdict: DrillVerdict, asset: string): Failure | null {
  const own = verdict.reasons.filter((reason) => reason.asset === asset && reason.outcome === 'failed');
  if (own.length === 0) return null;
  const thrown = record.failures.find((failure) => failure.asset === asset);
  return {
    code: thrown?.code ?? 'proof.failed',
    message: `drill ${record.drill.name} did not bring ${asset} back as it was`,
    cause: thrown
      ? [thrown.message, thrown.cause].filter(Boolean).join(': ')
      : own.map(({ what }) => what).join('; '),
    hint: thrown?.hint ?? 'drill another point, compare with another copy, and back up again',
  };
}

function failureOfDrill(record: DrillRecord, { outcome, reasons }: DrillVerdict): Failure | null {
  if (outcome === 'passed') return null;
  const { name } = record.drill;
  const gravest = reasons.filter((reason) => reason.outcome === outcome);
  const thrown = record.failures[0];
  return {
    code:
      outcome === 'failed'
        ? (thrown?.code ?? 'proof.failed')
        : outcome === 'missed'
          ? 'objective.breached'
          : 'proof.failed',
    message: WORDS[outcome](name),
    cause: gravest.map(({ asset, what }) => (asset ? `${asset}: ${what}` : what)).join('\n'),
    hint:
      outcome === 'failed' && thrown
        ? thrown.hint
        : `set right what is named, then \`holdfast drill run ${name}\``,
  };
}

const WORDS = {
  failed: (name: string) => `drill ${name} failed`,
  missed: (name: string) => `drill ${name} brought everything back, and missed an objective`,
  inconclusive: (name: string) => `drill ${name} did not show everything it was to show`,
};
