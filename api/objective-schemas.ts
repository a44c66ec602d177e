// The figures behind the objectives, as `status` gives them.

import { z } from 'zod';
import type { ObjectiveFigures } from '../domain/objectives/figures.ts';
import type { RepositoryStatusItem } from './services.ts';
import { time } from './schemas.ts';

const amount = z.number().nullable();

function windows<Figure extends z.ZodType>(figure: Figure) {
  return z.object({ days7: figure, days30: figure, days90: figure });
}

const rates = windows(
  z.object({
    succeeded: z.number(),
    failed: z.number(),
    missed: z.number().describe('due, and not begun'),
    rate: amount.describe('0 to 1; null: nothing was due'),
  }),
);

const trend = z.object({
  recentSeconds: amount.describe('median of the last 7 days'),
  previousSeconds: amount.describe('median of the 30 days before'),
  ratio: amount,
  secondsPerDay: amount,
});

export const objectiveFigures = {
  successRates: z.object({ backups: rates, validations: rates }),
  errorBudget: z
    .object({
      objective: z.number(),
      rate: amount,
      allowed: z.number(),
      used: z.number(),
      remaining: z.number(),
      remainingShare: amount,
      burnRate: amount,
    })
    .nullable()
    .describe('of the last 30 days; null: the policy sets no success rate'),
  growth: windows(amount).describe('bytes its points added'),
  durations: z.object({ backup: trend, rehearsal: trend }),
} satisfies Record<keyof ObjectiveFigures, z.ZodType>;

export const repositoryFigures = {
  growth: z.object({
    measuredAt: time.nullable(),
    storedBytes: amount,
    freeBytes: amount,
    capacityBytes: amount,
    changes: windows(amount).describe('bytes'),
    bytesPerDay: amount,
  }),
  fillsAt: time.nullable().describe('when it will be full at the pace of the last 90 days'),
} satisfies Record<keyof Pick<RepositoryStatusItem, 'growth' | 'fillsAt'>, z.ZodType>;
