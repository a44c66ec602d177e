import { z } from 'zod';
import type { Api } from './api.ts';
import { list, listOf, name, time } from './schemas.ts';
import type { Services } from './services.ts';

/** Policies as they run: when next, and whether somebody stopped them. */
export function policyRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/policies',
    config: { role: 'viewer' },
    schema: { summary: 'Each policy, what runs by itself for it and when', response: { 200: list(policy) } },
    handler: async () => listOf(await services.listPolicies()),
  });

  for (const verb of ['pause', 'resume'] as const) {
    api.route({
      method: 'POST',
      url: `/policies/:policy/${verb}`,
      config: { role: 'operator' },
      schema: {
        summary:
          verb === 'pause'
            ? 'Stop what runs by itself for a policy; what runs now goes on, and runs by hand are still taken'
            : 'Let a paused policy run by itself again',
        params: z.object({ policy: name }),
        body: z.strictObject({ reason: z.string().min(1).max(1000) }),
        response: { 200: policy },
      },
      handler: ({ actor, params, body }) =>
        services[verb === 'pause' ? 'pausePolicy' : 'resumePolicy'](actor, params.policy, body.reason),
    });
  }
}

export const pause = z.object({ since: time, by: z.string(), reason: z.string() });

const policy = z.object({
  policy: z.string(),
  assets: z.array(z.string()),
  paused: pause.nullable(),
  runs: z.array(
    z.object({
      kind: z.enum(['backup', 'sync', 'retention', 'verify']),
      schedule: z.string(),
      nextRunAt: time.nullable(),
    }),
  ),
});
