import { Readable } from 'node:stream';
import { z } from 'zod';
import type { AuditEvent, ChainReport } from '../domain/audit-chain.ts';
import type { ExportLine } from '../domain/audit-export.ts';
import type { Api } from './api.ts';
import { list, name, pageOf, pageQuery, time } from './schemas.ts';
import type { AuditPublicKey, Services } from './services.ts';

export function auditRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/audit',
    config: { role: 'viewer' },
    schema: {
      summary: 'Every change of state and who made it, newest first',
      querystring: z.strictObject({
        ...pageQuery,
        actor: name.optional(),
        action: name.optional().describe('the beginning of it is enough: `point.`, `restore.commit`'),
        subject: name.optional(),
        since: moment.optional(),
        until: moment.optional(),
      }),
      response: { 200: list(auditEvent) },
    },
    handler: ({ query }) =>
      services.listAudit(
        {
          actor: query.actor ?? null,
          action: query.action ?? null,
          subject: query.subject ?? null,
          since: query.since ?? null,
          until: query.until ?? null,
        },
        pageOf(query),
      ),
  });

  api.route({
    method: 'GET',
    url: '/audit/verification',
    config: { role: 'viewer' },
    schema: { summary: 'Check the whole chain', response: { 200: chainReport } },
    handler: () => services.verifyAudit(),
  });

  api.route({
    method: 'GET',
    url: '/audit/export',
    config: { role: 'viewer' },
    schema: {
      summary:
        'The whole chain as NDJSON, oldest first, then its signed head; `holdfast audit verify --file` checks it',
    },
    handler: (request, reply) =>
      reply.type('application/x-ndjson').send(Readable.from(lines(services.exportAudit(request.actor)))),
  });

  api.route({
    method: 'GET',
    url: '/audit/key',
    config: { role: 'viewer' },
    schema: {
      summary: 'The public key exports are signed for; keep a copy where this host cannot change it',
      response: { 200: publicKey },
    },
    handler: async () => services.auditKey(),
  });

  api.route({
    method: 'POST',
    url: '/audit/key/rotation',
    config: { role: 'admin' },
    schema: {
      summary: 'Sign exports with a new key from now on; the old one signs the change',
      body: z.strictObject({ reason: z.string().trim().min(1, 'say why').max(1000) }),
      response: { 200: publicKey },
    },
    handler: (request) => services.rotateAuditKey(request.actor, request.body.reason),
  });
}

const moment = z.iso.datetime({ offset: true, error: 'a time as in RFC 3339: 2026-11-20T03:00:00Z' });

async function* lines(events: AsyncIterable<ExportLine>): AsyncIterable<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`;
}

const auditEvent = z.object({
  sequence: z.number(),
  at: time,
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  details: z.record(z.string(), z.unknown()),
  previous: z.string(),
  digest: z.string(),
}) satisfies z.ZodType<AuditEvent>;

const publicKey = z.object({
  keyId: z.string(),
  publicKey: z.string().describe('Ed25519, SubjectPublicKeyInfo in DER, base64'),
}) satisfies z.ZodType<AuditPublicKey>;

const chainReport = z.object({
  ok: z.boolean(),
  events: z.number(),
  head: z.object({ sequence: z.number(), digest: z.string() }),
  problem: z.object({ sequence: z.number(), what: z.string() }).nullable(),
}) satisfies z.ZodType<ChainReport>;
