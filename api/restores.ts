import { z } from 'zod';
import type { Impact, Restore } from '../domain/restore.ts';
import type { Api } from './api.ts';
import { idempotencyHeaders, idempotencyKeyOf } from './idempotency.ts';
import { failure, id, list, name, pageOf, pageQuery, time } from './schemas.ts';
import type { Services } from './services.ts';

export function restoreRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/restores',
    config: { role: 'viewer' },
    schema: {
      summary: 'Restores, newest first',
      querystring: z.strictObject({ ...pageQuery, asset: name.optional() }),
      response: { 200: list(restore) },
    },
    handler: ({ query }) => services.listRestores({ asset: query.asset ?? null }, pageOf(query)),
  });

  api.route({
    method: 'GET',
    url: '/restores/:id',
    config: { role: 'viewer' },
    schema: { summary: 'A restore', params: z.object({ id }), response: { 200: restore } },
    handler: ({ params }) => services.getRestore(params.id),
  });

  api.route({
    method: 'POST',
    url: '/restores',
    config: { role: 'operator' },
    schema: {
      summary: 'Prepare a restore; nothing of the target changes before its commit',
      headers: idempotencyHeaders,
      body: z
        .strictObject({
          asset: name,
          point: id.nullable().default(null),
          time: z.iso.datetime({ offset: true }).nullable().default(null),
          include: z.array(z.string().min(1).max(4096)).max(10_000).default([]),
          to: z.string().min(1).max(4096).nullable().default(null),
          from: name.nullable().default(null),
        })
        .refine(({ point, time }) => point === null || time === null, 'point and time exclude each other'),
      response: { 200: restore, 202: restore },
    },
    handler: async (request, reply) => {
      const once = await services.prepareRestore(request.actor, request.body, idempotencyKeyOf(request));
      return reply.code(once.repeated ? 200 : 202).send(once.answer);
    },
  });

  api.route({
    method: 'POST',
    url: '/restores/:id/commit',
    config: { role: 'operator' },
    schema: {
      summary: 'Put a prepared restore in place; what is there now becomes a safety recovery point first',
      params: z.object({ id }),
      response: { 202: restore },
    },
    handler: async (request, reply) =>
      reply.code(202).send(await services.commitRestore(request.actor, request.params.id)),
  });

  api.route({
    method: 'POST',
    url: '/restores/:id/cancel',
    config: { role: 'operator' },
    schema: {
      summary: 'Drop a prepared restore and what it holds',
      params: z.object({ id }),
      response: { 202: restore },
    },
    handler: async (request, reply) =>
      reply.code(202).send(await services.cancelRestore(request.actor, request.params.id)),
  });
}

const fileChanges = z.object({ count: z.number(), bytes: z.number(), examples: z.array(z.string()) });

const impact = z.object({
  files: z.object({ added: fileChanges, changed: fileChanges, removed: fileChanges }).nullable(),
  tables: z
    .array(z.object({ table: z.string(), before: z.number().nullable(), after: z.number().nullable() }))
    .nullable(),
  bytes: z.number(),
  stops: z.array(z.string()),
  starts: z.array(z.string()),
  warnings: z.array(z.string()),
}) satisfies z.ZodType<Impact>;

const restore = z.object({
  id: z.string(),
  asset: z.string(),
  point: z.string(),
  pointTakenAt: time.nullable(),
  repository: z.string().nullable(),
  target: z.string(),
  include: z.array(z.string()),
  status: z.enum([
    'preparing',
    'prepared',
    'awaitingApproval',
    'committing',
    'checking',
    'completed',
    'rolledBack',
    'cancelled',
    'expired',
    'failed',
  ]),
  validation: z
    .object({
      ok: z.boolean(),
      checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
    })
    .nullable(),
  impact: impact.nullable(),
  estimateSeconds: z.number().nullable(),
  measuredSeconds: z.number().nullable(),
  safetyPointId: z.string().nullable(),
  expiresAt: time.nullable(),
  createdAt: time,
  endedAt: time.nullable(),
  error: failure.nullable(),
}) satisfies z.ZodType<Restore>;
