// API tokens. Only a token's hash is kept; the token itself is shown once.

import { randomBytes } from 'node:crypto';
import { HoldfastError } from '../domain/errors.ts';
import { sha256 } from './audit.ts';
import type { Database, Transaction } from './database.ts';

export type Role = 'viewer' | 'operator' | 'approver' | 'admin';

export interface Tokens {
  /** The token itself is returned once and kept only as its hash. `request.conflict` when the name is taken. */
  create(name: string, role: Role): Promise<{ token: string; entry: TokenEntry }>;
  /** Makes this token the one of that name, whatever was there: for the token file `up` writes. */
  install(name: string, role: Role, token: string): Promise<TokenEntry>;
  /** null: unknown or revoked. */
  authenticate(token: string): Promise<TokenEntry | null>;
  list(): Promise<TokenEntry[]>;
  revoke(name: string): Promise<void>;
}

export interface TokenEntry {
  name: string;
  role: Role;
  createdAt: string;
  revokedAt: string | null;
}

export function tokens(database: Database): Tokens {
  return {
    create: (name, role) => {
      const token = newToken();
      return database.write(`creating token ${name}`, async (transaction) => {
        const entry = await insert(transaction, name, role, token);
        if (!entry) throw nameTaken(name);
        return { token, entry };
      });
    },

    install: (name, role, token) =>
      database.write(`installing token ${name}`, async (transaction) => {
        const [existing] = await transaction.query<TokenEntry>(
          `select ${COLUMNS} from api_tokens
            where name = $1 and role = $2 and hash = $3 and revoked_at is null`,
          [name, role, sha256(token)],
        );
        if (existing) return existing;
        await revoke(transaction, name);
        const entry = await insert(transaction, name, role, token);
        if (!entry) throw spent(name);
        return entry;
      }),

    authenticate: (token) =>
      database.read('checking a token', async (query) => {
        const [entry] = await query<TokenEntry>(
          `select ${COLUMNS} from api_tokens where hash = $1 and revoked_at is null`,
          [sha256(token)],
        );
        return entry ?? null;
      }),

    list: () =>
      database.read('listing tokens', (query) =>
        query<TokenEntry>(`select ${COLUMNS} from api_tokens order by id desc`),
      ),

    revoke: (name) =>
      database.write(`revoking token ${name}`, async (transaction) => {
        const known = await transaction.query('select from api_tokens where name = $1 limit 1', [name]);
        if (known.length === 0) throw unknown(name);
        await revoke(transaction, name);
      }),
  };
}

const COLUMNS = `name, role, created_at as "createdAt", revoked_at as "revokedAt"`;

function newToken(): string {
  return `hf_${randomBytes(32).toString('base64url')}`;
}

async function insert(
  { query, audit }: Transaction,
  name: string,
  role: Role,
  token: string,
): Promise<TokenEntry | null> {
  const [entry] = await query<TokenEntry>(
    `insert into api_tokens (name, role, hash) values ($1, $2, $3)
     on conflict do nothing returning ${COLUMNS}`,
    [name, role, sha256(token)],
  );
  if (!entry) return null;
  audit({ action: 'token.created', subject: `token/${name}`, details: { role } });
  return entry;
}

async function revoke({ query, audit }: Transaction, name: string): Promise<void> {
  const revoked = await query(
    'update api_tokens set revoked_at = now() where name = $1 and revoked_at is null returning name',
    [name],
  );
  if (revoked.length > 0) audit({ action: 'token.revoked', subject: `token/${name}`, details: {} });
}

function nameTaken(name: string): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `there is a token named ${name} already`,
    cause: 'a valid token has this name',
    hint: 'choose another name, or revoke that one first',
  });
}

/** Revoking must last: what was revoked once does not come back by being installed again. */
function spent(name: string): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `token ${name} was not installed`,
    cause: 'the same token is known already, under another name or revoked',
    hint: 'make a new token',
  });
}

function unknown(name: string): HoldfastError {
  return new HoldfastError({
    code: 'notFound',
    message: `there is no token named ${name}`,
    cause: 'the catalogue has none with this name',
    hint: 'list the tokens to see their names',
  });
}
