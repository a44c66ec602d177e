// Roles belong to the server, not to the database, so a restore onto a server that lacks them must create
// them; those that are there are never altered.

import { wordsOf } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import type { Archive } from './postgres-archive.ts';
import type { Connection } from './postgres-connection.ts';
import { quotedName } from './postgres-identifiers.ts';

export interface RolePlan {
  /** Roles the database mentions (owners, grants, policies) and their groups, missing on the server. */
  create: { role: string; superuser: boolean }[];
  /** Missing too, but the database does not mention them: perhaps removed on purpose. */
  leave: string[];
  statements: string[];
}

export async function planRoles(server: Connection, archive: Archive): Promise<RolePlan> {
  const { roles, memberships } = archive.globals;
  const present = new Set(
    (await server.query<{ name: string }>('select rolname::text as name from pg_roles')).map(
      ({ name }) => name,
    ),
  );
  const missing = roles.filter(({ role }) => !present.has(role));
  const needed = withGroups(archive.mentioned, memberships);
  const create = missing.filter(({ role }) => needed.has(role));
  const created = new Set(create.map(({ role }) => role));
  const there = (role: string) => present.has(role) || created.has(role);
  return {
    create: create.map(({ role, superuser }) => ({ role, superuser })),
    leave: missing.filter(({ role }) => !needed.has(role)).map(({ role }) => role),
    statements: [
      ...create.flatMap(({ statements }) => statements),
      ...memberships
        .filter(
          ({ role, member }) => (created.has(role) || created.has(member)) && there(role) && there(member),
        )
        .map(({ statement }) => statement),
    ],
  };
}

/** All or none: a rerun takes a role that exists for one that was always there. */
export async function createMissingRoles(server: Connection, archive: Archive): Promise<void> {
  const { statements } = await planRoles(server, archive);
  await server.query('begin');
  for (const statement of statements) await server.query(statement);
  await server.query('commit');
}

/** Takes created roles away again, where nothing has come to depend on them. */
export async function dropRoles(server: Connection, roles: string[], step: Step): Promise<void> {
  for (const role of roles) {
    await server.query(`drop role if exists ${quotedName(role)}`).catch((error: unknown) => {
      step.say('warning', `role ${role}, created for the restore, is left: ${wordsOf(error)}`);
    });
  }
}

/** What a role may do comes also from the groups it is in, and from theirs. */
function withGroups(
  names: ReadonlySet<string>,
  memberships: { role: string; member: string }[],
): Set<string> {
  const result = new Set(names);
  for (let size = -1; size !== result.size;) {
    size = result.size;
    for (const { role, member } of memberships) if (result.has(member)) result.add(role);
  }
  return result;
}
