import { z } from 'zod';
import { severities } from '../domain/configuration/notification-types.ts';
import type { Incident } from '../domain/incidents/condition.ts';
import type { Api } from './api.ts';
import { failure, list, listOf, name, pageOf, pageQuery, time } from './schemas.ts';
import type { ChannelTest, Services } from './services.ts';

export function incidentRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/incidents',
    config: { role: 'viewer' },
    schema: {
      summary: 'What is wrong, newest first',
      querystring: z.strictObject({
        ...pageQuery,
        all: z.stringbool().default(false).describe('also those that are over'),
      }),
      response: { 200: list(incident) },
    },
    handler: ({ query }) => services.listIncidents({ all: query.all }, pageOf(query)),
  });

  api.route({
    method: 'POST',
    url: '/notifications/test',
    config: { role: 'operator' },
    schema: {
      summary:
        'Send a test message through a notification channel, or all of them, and wait for their answers',
      body: z.strictObject({ channel: name.nullable().default(null) }),
      response: { 200: list(channelTest) },
    },
    handler: async (request) => listOf(await services.testChannels(request.actor, request.body.channel)),
  });
}

const incident = z.object({
  id: z.string(),
  key: z.string(),
  topic: z.enum(['failure', 'objective', 'drill', 'channel']),
  severity: z.enum(severities),
  policies: z.array(z.string()).describe('those it concerns; empty: all'),
  asset: z.string().nullable(),
  title: z.string(),
  reason: z.string(),
  next: z.string(),
  openedAt: time,
  lastSeenAt: time,
  resolvedAt: time.nullable(),
}) satisfies z.ZodType<Incident>;

const channelTest = z.object({
  channel: z.string(),
  type: z.string(),
  accepted: z.boolean(),
  words: z.string(),
  error: failure.nullable(),
}) satisfies z.ZodType<ChannelTest>;
