import { z } from 'zod';
import type { CopyState } from '../domain/copies/lag.ts';
import type { Api } from './api.ts';
import { idempotencyHeaders, idempotencyKeyOf } from './idempotency.ts';
import { job } from './jobs.ts';
import { failure, name, time } from './schemas.ts';
import type { Services } from './services.ts';

const cadence = z.union([
  z.object({ kind: z.literal('every'), seconds: z.number() }),
  z.object({ kind: z.literal('cron'), expression: z.string() }),
]);

const copy = z.object({
  policy: z.string(),
  repository: z.string(),
  cadence: cadence.nullable().describe('null: made with each backup'),
  lagPoints: z.number().describe('points that are newer than the newest one there'),
  lagSeconds: z.number().describe('how long the one that has waited longest has been waiting'),
  lagObjectiveSeconds: z.number().nullable(),
  breached: z.boolean(),
  lastStatus: z.enum(['success', 'failed']).nullable(),
  lastAttemptAt: time.nullable(),
  error: failure.nullable(),
  assets: z.array(
    z.object({
      asset: z.string(),
      newestTakenAt: time.nullable(),
      lagPoints: z.number(),
      behindSince: time.nullable(),
      attempt: z.object({ at: time, jobId: z.string(), error: failure.nullable() }).nullable(),
    }),
  ),
}) satisfies z.ZodType<CopyState>;

/** How far the copies are, and bringing one up to date now. */
export function copyRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/copies',
    config: { role: 'viewer' },
    schema: {
      summary: 'How far each copy of each policy is behind, and how its last attempt ended',
      querystring: z.strictObject({ policy: name.optional() }),
      response: { 200: z.object({ items: z.array(copy), next: z.null() }) },
    },
    handler: async ({ query }) => ({ items: await services.listCopies(query.policy ?? null), next: null }),
  });

  api.route({
    method: 'POST',
    url: '/syncs',
    config: { role: 'operator' },
    schema: {
      summary: 'Send now what has not arrived in a copy of a policy',
      headers: idempotencyHeaders,
      body: z.strictObject({ policy: name, repository: name }),
      response: { 200: job, 202: job },
    },
    handler: async (request, reply) => {
      const once = await services.startSync(request.actor, request.body, idempotencyKeyOf(request));
      return reply.code(once.repeated ? 200 : 202).send(once.answer);
    },
  });
}
