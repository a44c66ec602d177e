import type { Role, TokenEntry } from '../../catalog/index.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { TokenStore } from '../../api/tokens.ts';

/** A double of our own interface `TokenStore`: the token of each name is `<name>-token`. */
export function tokensDouble(roles: Record<string, Role>): TokenStore {
  const entries = new Map<string, TokenEntry>();
  const entry = (name: string, role: Role): TokenEntry => {
    return { name, role, createdAt: '2026-11-20T10:00:00.000Z', revokedAt: null };
  };
  for (const [name, role] of Object.entries(roles)) entries.set(name, entry(name, role));
  return {
    refused: async () => undefined,
    authenticate: async (token) =>
      [...entries.values()].find(({ name, revokedAt }) => !revokedAt && token === `${name}-token`) ?? null,
    create: async (_actor, name, role) => {
      if (entries.has(name)) {
        throw new HoldfastError({
          code: 'request.conflict',
          message: `making the token ${name} failed`,
          cause: 'there is one',
          hint: 'take another name',
        });
      }
      const made = entry(name, role);
      entries.set(name, made);
      return { token: `${name}-token`, entry: made };
    },
    list: async () => [...entries.values()].reverse(),
    revoke: async (_actor, name) => {
      const old = entries.get(name);
      if (old) entries.set(name, { ...old, revokedAt: '2026-11-20T11:00:00.000Z' });
    },
  };
}
