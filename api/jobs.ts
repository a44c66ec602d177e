import { z } from 'zod';
import type { Job, JobEvent, Progress } from '../domain/job.ts';
import type { Api } from './api.ts';
import { failure, id, list, name, pageOf, pageQuery, proof, time } from './schemas.ts';
import type { Services } from './services.ts';

export function jobRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/jobs',
    config: { role: 'viewer' },
    schema: {
      summary: 'Jobs, newest first',
      querystring: z.strictObject({
        ...pageQuery,
        policy: name.optional(),
        asset: name.optional(),
        type: jobType.optional(),
        status: z
          .enum([...jobStatus.options, 'open'])
          .optional()
          .describe('`open`: running or waiting'),
      }),
      response: { 200: list(job) },
    },
    handler: ({ query }) =>
      services.listJobs(
        {
          policy: query.policy ?? null,
          asset: query.asset ?? null,
          type: query.type ?? null,
          status: query.status ?? null,
        },
        pageOf(query),
      ),
  });

  api.route({
    method: 'GET',
    url: '/jobs/:id',
    config: { role: 'viewer' },
    schema: {
      summary: 'A job, by its id, the beginning of it, or its workflow id',
      params: z.object({ id }),
      response: { 200: job },
    },
    handler: ({ params }) => services.getJob(params.id),
  });

  api.route({
    method: 'GET',
    url: '/jobs/:id/events',
    config: { role: 'viewer' },
    schema: {
      summary: "A job's log, read forwards: oldest first, from after a sequence number",
      params: z.object({ id }),
      querystring: z.strictObject({
        after: z.coerce.number().int().min(0).default(0),
        limit: z.coerce.number().int().min(1).max(500).default(500),
      }),
      response: {
        200: z.object({
          items: z.array(jobEvent),
          next: z.number().nullable().describe('what to give as `after` to go on; null: that was all'),
        }),
      },
    },
    handler: ({ params, query }) => services.jobEvents(params.id, query),
  });

  api.route({
    method: 'POST',
    url: '/jobs/:id/cancel',
    config: { role: 'operator' },
    schema: {
      summary: 'Ask a running job to stop; its tools end within 10 s and leave no lock',
      params: z.object({ id }),
      response: { 202: job },
    },
    handler: async (request, reply) =>
      reply.code(202).send(await services.cancelJob(request.actor, request.params.id)),
  });
}

const jobType = z.enum([
  'preflight',
  'backup',
  'sync',
  'retention',
  'verify',
  'restore',
  'drill',
  'controlPlane',
]);
const jobStatus = z.enum(['running', 'waiting', 'success', 'warning', 'failed', 'cancelled']);
export const assetStatus = z.enum(['pending', 'running', 'success', 'failed', 'skipped']);

const progress = z.object({
  phase: z.string(),
  bytesDone: z.number(),
  bytesTotal: z.number().nullable(),
  filesDone: z.number(),
  filesTotal: z.number().nullable(),
  bytesPerSecond: z.number(),
  etaSeconds: z.number().nullable(),
}) satisfies z.ZodType<Progress>;

export const job = z.object({
  id: z.string(),
  workflowId: z.string(),
  type: jobType,
  policy: z.string().nullable(),
  trigger: z.enum(['schedule', 'manual', 'restore']),
  status: jobStatus,
  startedAt: time,
  endedAt: time.nullable(),
  tags: z.array(z.string()).describe('of the recovery points it makes'),
  assets: z.array(
    z.object({
      asset: z.string(),
      status: assetStatus,
      recoveryPointId: z.string().nullable(),
      proof: proof.nullable(),
      error: failure.nullable(),
      notes: z.array(z.string()),
      progress: progress.nullable(),
    }),
  ),
  error: failure.nullable(),
  repository: z.string().nullable(),
}) satisfies z.ZodType<Job>;

const jobEvent = z.object({
  sequence: z.number(),
  at: time,
  level: z.enum(['info', 'warning', 'error']),
  asset: z.string().nullable(),
  step: z.string(),
  message: z.string(),
}) satisfies z.ZodType<JobEvent>;
