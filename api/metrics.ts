// What Prometheus scrapes: the figures of `status`, as they are at that moment. A value that is unknown is not
// there: 0 would be an answer. Labels are names, never ids, so that a series lives as long as what it is about.

import { Gauge, Registry } from 'prom-client';
import { WINDOW_DAYS, windowNames } from '../domain/objectives/windows.ts';
import type { CopyState } from '../domain/copies/lag.ts';
import type { Api } from './api.ts';
import type { ControlPlaneItem } from './control-plane-services.ts';
import type { AssetStatusItem, JobCount, ServiceHealth, Services, StatusReport } from './services.ts';

export function metricsRoute(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/metrics',
    config: { role: 'viewer' },
    schema: { summary: 'The figures of `status` and the jobs of the last 24 hours, for Prometheus' },
    handler: async (_request, reply) => {
      const [report, copies, controlPlane, jobs, health] = await Promise.all([
        services.status(),
        services.listCopies(null),
        services.listControlPlane(),
        services.jobCounts(),
        services.health(),
      ]);
      const registry = metricsOf(report, { copies, controlPlane, jobs }, health);
      return reply.type(registry.contentType).send(await registry.metrics());
    },
  });
}

interface Counted {
  copies: readonly CopyState[];
  controlPlane: readonly ControlPlaneItem[];
  jobs: readonly JobCount[];
}

function metricsOf(
  report: StatusReport,
  { copies, controlPlane, jobs }: Counted,
  health: ServiceHealth,
): Registry {
  const registry = new Registry();
  for (const item of report.assets) {
    const labels = { policy: item.policy ?? '', asset: item.asset };
    for (const [name, value, more] of assetValues(item)) set(registry, name, { ...labels, ...more }, value);
  }
  for (const { name: repository, health: own, growth, fillsAt } of report.repositories) {
    const labels = { repository };
    set(registry, 'holdfast_repository_stored_bytes', labels, growth.storedBytes);
    set(registry, 'holdfast_repository_free_bytes', labels, growth.freeBytes);
    set(registry, 'holdfast_repository_capacity_bytes', labels, growth.capacityBytes);
    set(registry, 'holdfast_repository_growth_bytes_per_day', labels, growth.bytesPerDay);
    set(registry, 'holdfast_repository_fill_timestamp_seconds', labels, timestamp(fillsAt));
    for (const each of HEALTHS)
      set(registry, 'holdfast_repository_health', { ...labels, health: each }, Number(own === each));
  }
  for (const { policy, repository, lagPoints, lagSeconds, lagObjectiveSeconds, lastStatus } of copies) {
    const labels = { policy, repository };
    set(registry, 'holdfast_copy_lag_points', labels, lagPoints);
    set(registry, 'holdfast_copy_lag_seconds', labels, lagSeconds);
    set(registry, 'holdfast_copy_lag_objective_seconds', labels, lagObjectiveSeconds);
    set(
      registry,
      'holdfast_copy_failed',
      labels,
      lastStatus === null ? null : Number(lastStatus === 'failed'),
    );
  }
  for (const { repository, stored, rolledBack } of controlPlane) {
    const at = timestamp(stored?.takenAt ?? null);
    set(registry, 'holdfast_control_plane_last_success_timestamp_seconds', { repository }, at);
    set(registry, 'holdfast_repository_rolled_back', { repository }, Number(rolledBack !== null));
  }
  for (const { type, status, count } of jobs) set(registry, 'holdfast_jobs', { type, status }, count);
  for (const { name: part, ok } of health.parts) set(registry, 'holdfast_part_up', { part }, Number(ok));
  return registry;
}

/** What each says, in the words of docs/objectives.md. */
const HELP = {
  holdfast_asset_health: 'How the asset stands against its objectives: 1 for what it is, 0 for the others.',
  holdfast_asset_breach: 'Objectives that are missed.',
  holdfast_last_success_timestamp_seconds:
    'When the newest recovery point with the proof of the policy was taken.',
  holdfast_last_proven_timestamp_seconds: 'When a restore of the asset last succeeded in a sandbox.',
  holdfast_next_run_timestamp_seconds: 'When the next backup is due.',
  holdfast_rpo_seconds: 'Age of the newest recovery point with the proof of the policy.',
  holdfast_rpo_verified_seconds: 'Age of the newest proven recovery point.',
  holdfast_rpo_objective_seconds: 'How old the newest recovery point may be.',
  holdfast_rto_seconds: 'How long the last restore or rehearsal took.',
  holdfast_rto_objective_seconds: 'How long a restore may take.',
  holdfast_backup_success_ratio: 'Share of the due backups that succeeded, 0 to 1.',
  holdfast_backup_runs: 'Backups that were due, by how they ended.',
  holdfast_validation_success_ratio:
    'Share of the rehearsals and restore validations that succeeded, 0 to 1.',
  holdfast_success_objective_ratio: 'Share of the due backups that is to succeed, 0 to 1.',
  holdfast_error_budget_remaining:
    'Share of the error budget of 30 days that is left; below 0 it is overdrawn.',
  holdfast_error_budget_burn_rate: 'Pace of the last 7 days; at 1 the budget is just used up.',
  holdfast_added_bytes: 'What the recovery points of the asset added to their repository.',
  holdfast_duration_seconds: 'Median of the last 7 days.',
  holdfast_repository_stored_bytes: 'What the repository takes.',
  holdfast_repository_free_bytes: 'What is left on its file system.',
  holdfast_repository_capacity_bytes: 'What it may take.',
  holdfast_repository_growth_bytes_per_day: 'Its growth, from the sizes of the last 90 days.',
  holdfast_repository_fill_timestamp_seconds: 'When it will be full at that pace.',
  holdfast_repository_health: 'How the repository is: 1 for what it is, 0 for the others.',
  holdfast_copy_lag_points: 'Recovery points that have not arrived in the copy.',
  holdfast_copy_lag_seconds:
    'How long the recovery point that has waited longest for its copy has been waiting.',
  holdfast_copy_lag_objective_seconds: 'How long a recovery point may wait for its copy.',
  holdfast_copy_failed: 'Whether the last attempt at the copy failed.',
  holdfast_control_plane_last_success_timestamp_seconds:
    'When the newest recovery point of the control plane in the repository was taken.',
  holdfast_repository_rolled_back:
    'Whether the repository was found in an older state that nobody has accepted.',
  holdfast_jobs: 'Jobs that are open or began in the last 24 hours.',
  holdfast_part_up: 'Whether each part that the service needs answers.',
} as const;

type MetricName = keyof typeof HELP;
type Value = [name: MetricName, value: number | null, labels?: Record<string, string>];

const HEALTHS = ['ok', 'warning', 'critical', 'unknown'] as const;

function assetValues(item: AssetStatusItem): Value[] {
  const { rpo, rto, successRates, errorBudget, growth, durations } = item;
  return [
    ...HEALTHS.map((health): Value => ['holdfast_asset_health', Number(item.health === health), { health }]),
    ...item.breaches.map((breach): Value => ['holdfast_asset_breach', 1, { breach }]),
    ['holdfast_last_success_timestamp_seconds', timestamp(item.protectedUntil)],
    ['holdfast_last_proven_timestamp_seconds', timestamp(item.lastProvenAt)],
    ['holdfast_next_run_timestamp_seconds', timestamp(item.nextRunAt)],
    ['holdfast_rpo_seconds', rpo.actualSeconds],
    ['holdfast_rpo_verified_seconds', rpo.verifiedSeconds],
    ['holdfast_rpo_objective_seconds', rpo.objectiveSeconds],
    ['holdfast_rto_seconds', rto.measuredSeconds],
    ['holdfast_rto_objective_seconds', rto.objectiveSeconds],
    ['holdfast_success_objective_ratio', errorBudget?.objective ?? null],
    ['holdfast_error_budget_remaining', errorBudget?.remainingShare ?? null],
    ['holdfast_error_budget_burn_rate', errorBudget?.burnRate ?? null],
    ['holdfast_duration_seconds', durations.backup.recentSeconds, { step: 'backup' }],
    ['holdfast_duration_seconds', durations.rehearsal.recentSeconds, { step: 'rehearsal' }],
    ...windowNames.flatMap((name): Value[] => {
      const window = `${WINDOW_DAYS[name]}d`;
      const { rate, ...outcomes } = successRates.backups[name];
      return [
        ['holdfast_backup_success_ratio', rate, { window }],
        ['holdfast_validation_success_ratio', successRates.validations[name].rate, { window }],
        ['holdfast_added_bytes', growth[name], { window }],
        ...Object.entries(outcomes).map(([outcome, runs]): Value => [
          'holdfast_backup_runs',
          runs,
          { window, outcome },
        ]),
      ];
    }),
  ];
}

function set(
  registry: Registry,
  name: MetricName,
  labels: Record<string, string>,
  value: number | null,
): void {
  if (value === null) return;
  const known = registry.getSingleMetric(name) as Gauge | undefined;
  const gauge =
    known ?? new Gauge({ name, help: HELP[name], labelNames: Object.keys(labels), registers: [registry] });
  gauge.set(labels, value);
}

function timestamp(time: string | null): number | null {
  return time === null ? null : Date.parse(time) / 1000;
}
