// The event histories of jobs and restores that have ended, held against the digests on the audit chain.

import { z } from 'zod';
import type { Api } from './api.ts';
import { id, time } from './schemas.ts';
import type { HistoryCheck, HistoryReport, Services } from './services.ts';

export function historyRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/jobs/:id/history',
    config: { role: 'viewer' },
    schema: {
      summary: "What became of a job's event history, and whether its file is the one on the chain",
      params: z.object({ id }),
      response: { 200: historyCheck },
    },
    handler: ({ params }) => services.jobHistory(params.id),
  });

  api.route({
    method: 'GET',
    url: '/audit/histories',
    config: { role: 'viewer' },
    schema: {
      summary: 'Check every exported history against the chain',
      response: {
        200: z.object({
          whole: z.number(),
          elsewhere: z.number().describe('exported by another machine, whose files are not here'),
          problems: z.array(historyCheck),
        }) satisfies z.ZodType<HistoryReport>,
      },
    },
    handler: () => services.checkHistories(),
  });
}

const historyCheck = z.object({
  subject: z.string(),
  state: z.enum(['whole', 'altered', 'missing', 'elsewhere', 'unavailable', 'pending']),
  workflowId: z.string().nullable(),
  at: time.nullable(),
  digest: z.string().nullable(),
  bytes: z.number().nullable(),
  runs: z.array(z.string()),
  host: z.string().nullable(),
  path: z.string().nullable(),
}) satisfies z.ZodType<HistoryCheck>;
