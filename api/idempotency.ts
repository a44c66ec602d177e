import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { IdempotencyKey } from './services.ts';

/** Loose: what a schema of headers does not list must still reach those who read it. */
export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, '1 to 200 printable characters without spaces')
    .optional()
    .describe(
      'The same key with the same request starts nothing and gets the first answer; with another, 409. A key is kept until a time after what it began has ended: idempotency.keep, 30 days by default',
    ),
});

export function idempotencyKeyOf(request: {
  headers: { 'idempotency-key'?: string | undefined };
  routeOptions: { url?: string | undefined };
  body: unknown;
}): IdempotencyKey | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  const asked = canonicalJson({ to: request.routeOptions.url ?? '', body: request.body });
  return { key, request: createHash('sha256').update(asked).digest('hex') };
}
