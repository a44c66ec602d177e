import { z } from 'zod';
import { inOneOrder, MOST_TAGS, TAG_PATTERN, TAG_RULE } from '../domain/tags.ts';
import type { Api } from './api.ts';
import { idempotencyHeaders, idempotencyKeyOf } from './idempotency.ts';
import { job } from './jobs.ts';
import { id, name } from './schemas.ts';
import type { Services } from './services.ts';

/** Jobs a person starts by hand. 202: started; 200: the key was known, and this is the job it started. */
export function backupRoutes(api: Api, services: Services): void {
  api.route({
    method: 'POST',
    url: '/backups',
    config: { role: 'operator' },
    schema: {
      summary: 'Back up the assets of a policy now',
      headers: idempotencyHeaders,
      body: z.strictObject({
        policy: name,
        assets: z.array(name).max(10_000).default([]),
        tags: z
          .array(z.string().regex(TAG_PATTERN, TAG_RULE))
          .max(MOST_TAGS)
          .default([])
          .describe('words for the recovery points: `keepTags` of a retention keeps by them'),
      }),
      response: { 200: job, 202: job },
    },
    handler: async (request, reply) => {
      const { tags, ...asked } = request.body;
      // As a request of before there were tags, so that its key still answers for it.
      const body = tags.length === 0 ? asked : { ...asked, tags: inOneOrder(tags) };
      const { headers, routeOptions } = request;
      const key = idempotencyKeyOf({ headers, routeOptions, body });
      const once = await services.startBackup(request.actor, body, key);
      return reply.code(once.repeated ? 200 : 202).send(once.answer);
    },
  });

  api.route({
    method: 'POST',
    url: '/verifications',
    config: { role: 'operator' },
    schema: {
      summary: "Read back and prove recovery points of a policy's assets",
      headers: idempotencyHeaders,
      body: z
        .strictObject({
          policy: name,
          all: z.boolean().default(true),
          point: id.nullable().default(null),
          due: z.boolean().default(false).describe("what the policy's verification has due now"),
        })
        .refine(({ all, point }) => !(all && point !== null), 'all and point exclude each other')
        .refine(({ due, point }) => !(due && point !== null), 'due and point exclude each other'),
      response: { 200: job, 202: job },
    },
    handler: async (request, reply) => {
      const once = await services.startVerification(request.actor, request.body, idempotencyKeyOf(request));
      return reply.code(once.repeated ? 200 : 202).send(once.answer);
    },
  });
}
