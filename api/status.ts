import { z } from 'zod';
import type { Api } from './api.ts';
import { assetStatus } from './jobs.ts';
import { pause } from './policies.ts';
import { objectiveFigures, repositoryFigures } from './objective-schemas.ts';
import { failure, health, time } from './schemas.ts';
import type { Services, StatusReport } from './services.ts';

export function statusRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/status',
    config: { role: 'viewer' },
    schema: {
      summary: 'How each asset stands against its objectives, why, and what to do',
      response: { 200: statusReport },
    },
    handler: () => services.status(),
  });
}

/** For load balancers and `up`: says only whether each part answers. */
export function healthRoute(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/health',
    config: { role: 'anyone' },
    schema: {
      summary: 'Whether the service works',
      security: [],
      response: { 200: serviceHealth, 503: serviceHealth },
    },
    handler: async (_request, reply) => {
      const { parts } = await services.health();
      const well = parts.every((part) => part.ok);
      return reply.code(well ? 200 : 503).send({ status: well ? 'ok' : 'failing', parts });
    },
  });
}

const serviceHealth = z.object({
  status: z.enum(['ok', 'failing']),
  parts: z.array(z.object({ name: z.string(), ok: z.boolean() })),
});

const seconds = z.number().nullable();

const assetStatusItem = z.object({
  asset: z.string(),
  policy: z.string().nullable(),
  health,
  rpo: z.object({ objectiveSeconds: seconds, actualSeconds: seconds, verifiedSeconds: seconds }),
  rto: z.object({ objectiveSeconds: seconds, measuredSeconds: seconds }),
  protectedUntil: time.nullable(),
  provenUntil: time.nullable(),
  damagedNewest: z
    .object({ id: z.string(), takenAt: time })
    .nullable()
    .describe('the newest recovery point, if no copy of it is whole'),
  lastProvenAt: time.nullable(),
  lastJob: z
    .object({
      id: z.string(),
      status: assetStatus,
      startedAt: time,
      endedAt: time.nullable(),
      error: failure.nullable(),
    })
    .nullable(),
  nextRunAt: time.nullable(),
  breaches: z.array(z.enum(['rpo', 'rto', 'provenWithin', 'successRate', 'errorBudget'])),
  reason: z.string(),
  next: z.string(),
  backups: z.object({ succeeded: z.number(), failed: z.number() }),
  copies: z.array(z.object({ repository: z.string(), newestTakenAt: time, storedAt: time })),
  paused: pause.nullable(),
  ...objectiveFigures,
});

const bytes = z.number().nullable();

const repositoryStatus = z.object({
  name: z.string(),
  type: z.string(),
  health,
  reason: z.string(),
  usedBytes: bytes,
  capacityBytes: bytes,
  freeBytes: bytes,
  watermark: z.enum(['normal', 'high']),
  uploadedToday: z.number(),
  dailyUpload: bytes,
  resetsAt: time.nullable(),
  waiting: z.array(
    z.object({ jobId: z.string(), asset: z.string(), expectedBytes: z.number(), until: time }),
  ),
  ...repositoryFigures,
  oldestUnread: z
    .object({ since: time, seconds: z.number(), limitSeconds: z.number() })
    .nullable()
    .describe('every byte there was read back, or written, after `since`'),
});

const statusReport = z.object({
  assets: z.array(assetStatusItem),
  sites: z.array(z.object({ name: z.string(), health, reason: z.string() })),
  repositories: z.array(repositoryStatus),
  channels: z.array(z.object({ name: z.string(), type: z.string(), health, reason: z.string() })),
  incidents: z.object({ open: z.number(), critical: z.number() }),
}) satisfies z.ZodType<StatusReport>;
