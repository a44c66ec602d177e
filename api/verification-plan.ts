import { z } from 'zod';
import type { VerificationPlan } from '../domain/verification/policy-plan.ts';
import type { Api } from './api.ts';
import { name, time } from './schemas.ts';
import type { Services } from './services.ts';

export function verificationPlanRoute(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/verifications/plan',
    config: { role: 'viewer' },
    schema: {
      summary:
        "What a run of the policy's verification would read back and rehearse now, and why; changes nothing",
      querystring: z.strictObject({ policy: name }),
      response: { 200: verificationPlan },
    },
    handler: ({ query }) => services.planVerification(query.policy),
  });
}

const verificationPlan = z.object({
  policy: z.string(),
  at: time,
  repositories: z.array(
    z.object({
      repository: z.string(),
      groups: z.number(),
      withinSeconds: z.number(),
      due: z.array(
        z.object({
          group: z.number(),
          reason: z.enum(['late', 'last', 'share', 'damaged']),
          unreadSince: time,
        }),
      ),
      unreadSince: time.nullable(),
    }),
  ),
  rehearsals: z.array(
    z.object({ asset: z.string(), lastProvenAt: time.nullable(), limitSeconds: z.number() }),
  ),
}) satisfies z.ZodType<VerificationPlan>;
