// Who may come in. The catalogue makes tokens (256 random bits), keeps only their SHA-256 and compares in
// constant time; here they are handed out, listed and taken away.

import { z } from 'zod';
import type { Role, TokenEntry } from '../catalog/index.ts';
import type { Api } from './api.ts';
import { list, listOf, name, time } from './schemas.ts';
import type { CountedRefusal } from './refusals.ts';
import type { Actor } from './services.ts';

export interface TokenStore {
  /** Somebody was not let in. */
  refused(refusal: CountedRefusal): Promise<void>;
  /** null: unknown or revoked, which look alike from outside. */
  authenticate(token: string): Promise<{ name: string; role: Role } | null>;
  /** `request.conflict` when the name is taken. */
  create(actor: Actor, name: string, role: Role): Promise<{ token: string; entry: TokenEntry }>;
  list(): Promise<TokenEntry[]>;
  revoke(actor: Actor, name: string): Promise<void>;
}

export function tokenRoutes(api: Api, tokens: TokenStore): void {
  api.route({
    method: 'GET',
    url: '/tokens',
    config: { role: 'admin' },
    schema: { summary: 'Tokens, without their secret', response: { 200: list(tokenEntry) } },
    handler: async () => listOf(await tokens.list()),
  });

  api.route({
    method: 'POST',
    url: '/tokens',
    config: { role: 'admin' },
    schema: {
      summary: 'Make a token; this answer is the only place that ever shows it',
      body: z.strictObject({ name: tokenName, role }),
      response: { 201: tokenEntry.extend({ token: z.string() }) },
    },
    handler: async (request, reply) => {
      const { token, entry } = await tokens.create(request.actor, request.body.name, request.body.role);
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...entry, token });
    },
  });

  api.route({
    method: 'DELETE',
    url: '/tokens/:name',
    config: { role: 'admin' },
    schema: {
      summary: 'Take a token away; it is refused from now on',
      params: z.object({ name }),
      response: { 204: z.undefined() },
    },
    handler: async (request, reply) => {
      await tokens.revoke(request.actor, request.params.name);
      return reply.code(204).send(undefined);
    },
  });
}

const role = z.enum(['viewer', 'operator', 'approver', 'admin']);

const tokenName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'letters, digits and ._@- only, at most 64');

const tokenEntry = z.object({
  name: z.string(),
  role,
  createdAt: time,
  revokedAt: time.nullable(),
});
