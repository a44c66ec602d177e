import { z } from 'zod';
import {
  correctiveAction,
  drilledAsset,
  drillMoment,
  drillPhase,
  retest,
} from '../domain/evidence/record-schema.ts';
import type { Api } from './api.ts';
import type { DrillItem, DrillServices } from './drill-services.ts';
import { approval, outcome } from './evidence-schemas.ts';
import { demandRole } from './gate.ts';
import { idempotencyHeaders, idempotencyKeyOf } from './idempotency.ts';
import { id, list, name, pageOf, pageQuery, time } from './schemas.ts';

const drill = z.object({
  id: z.string(),
  name: z.string(),
  scenario: z.enum(['assetLoss', 'hostLoss', 'siteLoss', 'keyLoss']),
  workflowId: z.string(),
  gameDay: z.boolean().describe('it takes the service itself down'),
  repository: z.string().describe('the copy everything comes from'),
  status: z.enum(['running', 'waiting', 'success', 'warning', 'failed', 'cancelled']),
  outcome: outcome.nullable().describe('null: it has not ended, or was cancelled'),
  startedAt: time,
  endedAt: time.nullable(),
  rtoSeconds: z.number().nullable(),
  rpoSeconds: z.number().nullable(),
  assets: z.array(drilledAsset),
  phases: z.array(drillPhase),
  timeline: z.array(drillMoment).describe('of a game day: what happened when'),
  evidence: z.string().nullable().describe('path of the signed file on the host that ran the drill'),
  reasons: z.array(z.object({ asset: z.string().nullable(), outcome: z.string(), what: z.string() })),
  actions: z
    .array(correctiveAction)
    .describe('what has to be set right; the next drill of the name tests it'),
  retests: z.array(retest).describe('corrective actions of earlier drills that this one tested again'),
  retestedBy: z.array(z.object({ drill: z.string(), sequence: z.number(), outcome })),
  operator: z.string().nullable(),
  approval,
}) satisfies z.ZodType<DrillItem>;

export function drillRoutes(api: Api, services: DrillServices): void {
  api.route({
    method: 'POST',
    url: '/drills',
    config: { role: 'operator' },
    schema: {
      summary: 'Begin a configured drill now',
      headers: idempotencyHeaders,
      body: z.strictObject({
        drill: name,
        gameDay: z
          .boolean()
          .default(false)
          .describe('take the service down for real; needs the role approver'),
        confirm: z
          .string()
          .max(200)
          .nullable()
          .default(null)
          .describe("of a game day: the drill's name once more, as what is there is destroyed"),
      }),
      response: { 200: drill, 202: drill },
    },
    handler: async (request, reply) => {
      if (request.body.gameDay) demandRole(request, 'approver');
      const once = await services.startDrill(request.actor, request.body, idempotencyKeyOf(request));
      return reply.code(once.repeated ? 200 : 202).send(once.answer);
    },
  });

  api.route({
    method: 'POST',
    url: '/drills/:id/approve',
    config: { role: 'approver' },
    schema: {
      summary: "Sign a drill's evidence off; a drill with fourEyes by somebody other than who ran it",
      params: z.object({ id }),
      body: z.strictObject({ note: z.string().trim().max(1000).default('') }),
      response: { 200: drill },
    },
    handler: (request) => services.approveDrill(request.actor, request.params.id, request.body.note),
  });

  api.route({
    method: 'GET',
    url: '/drills',
    config: { role: 'viewer' },
    schema: {
      summary: 'The drills that were begun, newest first',
      querystring: z.strictObject({ ...pageQuery, drill: name.optional() }),
      response: { 200: list(drill) },
    },
    handler: ({ query }) => services.listDrills({ drill: query.drill ?? null }, pageOf(query)),
  });

  api.route({
    method: 'GET',
    url: '/drills/:id',
    config: { role: 'viewer' },
    schema: {
      summary: 'One drill: what came back, how it compares, how long each phase took',
      params: z.object({ id }),
      response: { 200: drill },
    },
    handler: ({ params }) => services.getDrill(params.id),
  });
}
