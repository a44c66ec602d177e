// The evidence of drills: looked at, taken away as signed files, and held against the controls of auditors.

import { Readable } from 'node:stream';
import { z } from 'zod';
import type { EvidenceEntry } from '../catalog/index.ts';
import type { EvidenceFile } from '../domain/evidence/check.ts';
import type { Api } from './api.ts';
import { approval, controlReport } from './evidence-schemas.ts';
import { id, list, name, pageOf, pageQuery, time } from './schemas.ts';
import type { EvidenceItem, EvidenceServices } from './evidence-services.ts';

export function evidenceRoutes(api: Api, services: EvidenceServices): void {
  api.route({
    method: 'GET',
    url: '/evidence',
    config: { role: 'viewer' },
    schema: {
      summary: 'The evidence of drills, newest first',
      querystring: z.strictObject({
        ...pageQuery,
        drill: name.optional(),
        from: moment.optional().describe('drills that ended from this time on'),
        to: moment.optional().describe('and before that one'),
      }),
      response: { 200: list(z.object(entry)) },
    },
    handler: ({ query }) => {
      const { drill = null, from = null, to = null } = query;
      return services.listEvidence({ drill, from, to }, pageOf(query));
    },
  });

  api.route({
    method: 'GET',
    url: '/evidence/:id',
    config: { role: 'viewer' },
    schema: {
      summary: 'One: by its number, or the id of its drill; `envelope` is the signed file',
      params: z.object({ id }),
      response: { 200: z.object({ ...entry, envelope: z.string() }) satisfies z.ZodType<EvidenceItem> },
    },
    handler: ({ params }) => services.getEvidence(params.id),
  });

  api.route({
    method: 'GET',
    url: '/evidence-export',
    config: { role: 'viewer' },
    schema: {
      summary:
        'The files of an export as NDJSON, `{ name, text }` each, the signed manifest last; `holdfast evidence verify` checks them',
      querystring: z.strictObject({ from: moment.optional(), to: moment.optional() }),
    },
    handler: ({ actor, query: { from = null, to = null } }, reply) =>
      reply
        .type('application/x-ndjson')
        .send(Readable.from(lines(services.exportEvidence(actor, { from, to })))),
  });

  api.route({
    method: 'GET',
    url: '/evidence-report',
    config: { role: 'viewer' },
    schema: {
      summary: 'What the drills of a period show for CIS, ISO 27001, SOC 2 and NIST, and what they do not',
      querystring: z.strictObject({ from: moment, to: moment }),
      response: { 200: controlReport },
    },
    handler: ({ query }) => services.reportEvidence(query),
  });
}

const moment = z.iso.datetime({ offset: true, error: 'a time as in RFC 3339: 2026-11-20T03:00:00Z' });

async function* lines(files: AsyncIterable<EvidenceFile>): AsyncIterable<string> {
  for await (const file of files) yield `${JSON.stringify(file)}\n`;
}

const entry = {
  sequence: z.number(),
  drillId: z.string(),
  drill: z.string(),
  scenario: z.string(),
  outcome: z.enum(['failed', 'missed', 'inconclusive', 'passed']),
  startedAt: time,
  endedAt: time,
  recordedAt: time,
  previous: z.string(),
  digest: z.string().describe('SHA-256 of the signed file, as on the audit chain'),
  keyId: z.string(),
  approval,
} satisfies { [Field in keyof EvidenceEntry]: z.ZodType<EvidenceEntry[Field]> };
