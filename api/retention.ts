import { z } from 'zod';
import type { Api } from './api.ts';
import { demandRole } from './gate.ts';
import { idempotencyHeaders, idempotencyKeyOf } from './idempotency.ts';
import { job } from './jobs.ts';
import { name, time } from './schemas.ts';
import type { RetentionPlan, Services } from './services.ts';

/** What a policy's retention would take away, and the job that does it. */
export function retentionRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/policies/:policy/retention',
    config: { role: 'viewer' },
    schema: {
      summary: "What a policy's retention keeps and drops, each point with the reasons; nothing is changed",
      params: z.object({ policy: name }),
      response: { 200: retentionPlan },
    },
    handler: ({ params }) => services.retentionPlan(params.policy),
  });

  api.route({
    method: 'POST',
    url: '/retentions',
    config: { role: 'operator' },
    schema: {
      summary: "Take away what a policy's retention does not keep, now",
      headers: idempotencyHeaders,
      body: z.strictObject({
        policy: name,
        confirm: z
          .boolean()
          .default(false)
          .describe('go ahead in spite of what would stop the run; needs the role approver'),
      }),
      response: { 200: job, 202: job },
    },
    handler: async (request, reply) => {
      if (request.body.confirm) demandRole(request, 'approver');
      const once = await services.startRetention(request.actor, request.body, idempotencyKeyOf(request));
      return reply.code(once.repeated ? 200 : 202).send(once.answer);
    },
  });
}

const retentionPlan = z.object({
  decisions: z.array(
    z.object({
      recoveryPointId: z.string(),
      asset: z.string(),
      repository: z.string(),
      takenAt: time,
      decision: z.enum(['keep', 'drop']),
      reasons: z.array(z.string()),
    }),
  ),
  anomalies: z
    .array(
      z.object({
        repository: z.string(),
        code: z.enum(['clock.untrusted', 'retention.dropsTooMuch', 'repository.disagrees']),
        message: z.string(),
        hint: z.string(),
      }),
    )
    .describe('why a run would stop before anything goes'),
}) satisfies z.ZodType<RetentionPlan>;
