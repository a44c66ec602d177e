import { z } from 'zod';
import type { ControlReport } from '../domain/evidence/report.ts';
import { time } from './schemas.ts';

const due = z.object({ drill: z.string(), dueAt: time });
const texts = z.array(z.string());

export const outcome = z.enum(['failed', 'missed', 'inconclusive', 'passed']);

export const approval = z
  .object({ by: z.string(), at: time, note: z.string() })
  .nullable()
  .describe('who signed the evidence off; null: nobody has');

export const controlReport = z.object({
  madeAt: time,
  period: z.object({ from: time, to: time }),
  drills: z.array(
    z.object({
      sequence: z.number(),
      id: z.string(),
      name: z.string(),
      scenario: z.string(),
      source: z.string(),
      endedAt: time,
      outcome,
      reasons: texts,
      rto: z.string(),
      rpo: z.string(),
      assets: texts,
      retests: z.array(z.object({ sequence: z.number(), outcome })),
      retestedBy: z.number().nullable(),
      approval,
    }),
  ),
  notHeld: z.array(due).nullable().describe('null: no schedule of drills is known'),
  openActions: z.array(
    z.object({
      sequence: z.number(),
      action: z.string(),
      what: z.string(),
      owner: z.string(),
      dueAt: time.nullable(),
    }),
  ),
  controls: z.array(
    z.object({
      control: z.string(),
      asks: z.string(),
      state: z.enum(['shown', 'missed', 'notShown']),
      by: z.array(z.number()),
      misses: texts,
    }),
  ),
}) satisfies z.ZodType<ControlReport>;
