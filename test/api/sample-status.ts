// What `status` says of one asset in two repositories, with figures a person can check by hand.

import type { StatusReport } from '../../api/services.ts';
import { errorBudget } from '../../domain/objectives/error-budget.ts';
import type { ObjectiveFigures } from '../../domain/objectives/figures.ts';
import { successRate } from '../../domain/objectives/success-rate.ts';

const GIBIBYTE = 2 ** 30;

export function sampleFigures(): ObjectiveFigures {
  const week = { succeeded: 6, failed: 0, missed: 1 };
  const month = { succeeded: 29, failed: 0, missed: 1 };
  const none = { succeeded: 0, failed: 0, missed: 0 };
  const unknown = { recentSeconds: null, previousSeconds: null, ratio: null, secondsPerDay: null };
  return {
    successRates: {
      backups: { days7: successRate(week), days30: successRate(month), days90: successRate(none) },
      validations: {
        days7: successRate(none),
        days30: successRate({ succeeded: 3, failed: 1, missed: 0 }),
        days90: successRate({ succeeded: 3, failed: 1, missed: 0 }),
      },
    },
    errorBudget: errorBudget(0.95, month, week),
    growth: { days7: GIBIBYTE, days30: 4 * GIBIBYTE, days90: null },
    durations: {
      backup: { recentSeconds: 30, previousSeconds: 10, ratio: 3, secondsPerDay: 0.8 },
      rehearsal: unknown,
    },
  };
}

const noRoom = {
  usedBytes: null,
  capacityBytes: null,
  freeBytes: null,
  watermark: 'normal' as const,
  uploadedToday: 0,
  dailyUpload: null,
  resetsAt: null,
  waiting: [],
};

export function sampleStatus(now = new Date()): StatusReport {
  const at = (days: number) => new Date(now.getTime() + days * 86_400_000).toISOString();
  const unknown = { days7: null, days30: null, days90: null };
  return {
    assets: [
      {
        asset: 'uploads',
        policy: 'critical',
        health: 'ok',
        rpo: { objectiveSeconds: 86_400, actualSeconds: 3600, verifiedSeconds: null },
        rto: { objectiveSeconds: 1800, measuredSeconds: 41 },
        protectedUntil: at(-1 / 24),
        provenUntil: null,
        damagedNewest: null,
        lastProvenAt: null,
        lastJob: {
          id: '7f3a5c1e-0000-4000-8000-000000000001',
          status: 'success',
          startedAt: at(-1 / 24),
          endedAt: at(-1 / 25),
          error: null,
        },
        paused: null,
        nextRunAt: at(23 / 24),
        breaches: [],
        reason: '',
        next: '',
        backups: { succeeded: 29, failed: 0 },
        copies: [{ repository: 'local', newestTakenAt: at(-1 / 24), storedAt: at(-1 / 25) }],
        ...sampleFigures(),
      },
    ],
    sites: [{ name: 'local', health: 'ok', reason: '' }],
    repositories: [
      {
        name: 'local',
        type: 'restic',
        health: 'ok',
        reason: '',
        growth: {
          measuredAt: at(0),
          storedBytes: 90 * GIBIBYTE,
          freeBytes: 10 * GIBIBYTE,
          capacityBytes: 100 * GIBIBYTE,
          changes: { days7: 7 * GIBIBYTE, days30: 30 * GIBIBYTE, days90: null },
          bytesPerDay: GIBIBYTE,
        },
        oldestUnread: null,
        ...noRoom,
        fillsAt: at(10),
      },
      {
        name: 'offsite',
        type: 'restic',
        health: 'unknown',
        reason: 'nothing was stored in it yet',
        growth: {
          measuredAt: null,
          storedBytes: null,
          freeBytes: null,
          capacityBytes: null,
          changes: unknown,
          bytesPerDay: null,
        },
        oldestUnread: null,
        ...noRoom,
        fillsAt: null,
      },
    ],
    channels: [],
    incidents: { open: 0, critical: 0 },
  };
}
