import { z } from 'zod';
import type { Api } from './api.ts';
import type { KitItem, KitServices } from './kit-services.ts';
import { time } from './schemas.ts';

const kit = z.object({
  id: z.string(),
  writtenAt: time,
  writtenBy: z.string(),
  digest: z.string().describe('of what it says'),
  sealedDigest: z.string().describe('SHA-256 of the sealed file'),
  configuration: z.string(),
  folder: z.string().describe('on the host that reaches the repositories'),
  sealedFor: z.array(z.string()),
  confirmedAt: time.nullable(),
  confirmedBy: z.string().nullable(),
  outdatedAt: time.nullable(),
  current: z.boolean(),
}) satisfies z.ZodType<KitItem>;

const absolute = z.string().startsWith('/', 'an absolute path on the host');

export function kitRoutes(api: Api, services: KitServices): void {
  api.route({
    method: 'POST',
    url: '/kit/exports',
    config: { role: 'admin' },
    schema: {
      summary: 'Write the recovery kit on the host: sealed with age, with a sheet of the commands',
      body: z
        .strictObject({
          folder: absolute.nullable().default(null),
          recipients: z.array(z.string()).max(100).default([]),
          passphraseFile: absolute.nullable().default(null),
        })
        .refine(
          ({ recipients, passphraseFile }) => recipients.length === 0 || passphraseFile === null,
          'either recipients or a passphrase: age does not take both',
        ),
      response: { 200: kit },
    },
    handler: ({ actor, body }) => services.exportKit(actor, body),
  });

  api.route({
    method: 'POST',
    url: '/kit/confirmations',
    config: { role: 'operator' },
    schema: {
      summary: 'Say that the newest recovery kit has taken the place of the copies before it',
      response: { 200: kit },
    },
    handler: ({ actor }) => services.confirmKit(actor),
  });

  api.route({
    method: 'GET',
    url: '/kit',
    config: { role: 'viewer' },
    schema: { summary: 'The newest recovery kit, and whether it is current', response: { 200: kit } },
    handler: () => services.showKit(),
  });
}
