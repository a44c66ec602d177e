// Reads the SQL that pg_dumpall and pg_restore print. It comes out of a repository, so it is taken apart and
// only statements of known forms are ever run; psql, which also obeys `\!` in its input, never sees it.

/** Statements without their semicolons. Comments and psql's backslash commands are left out. */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let current = '';
  for (let position = 0; position < sql.length;) {
    if (current.trim() === '' && sql[position] === '\\') {
      position = after(sql, '\n', position);
      continue;
    }
    const [token, next] = tokenAt(sql, position);
    position = next;
    if (token.startsWith('--') || token.startsWith('/*')) continue;
    if (token === ';') {
      if (current.trim() !== '') statements.push(current.trim());
      current = '';
    } else current += token;
  }
  if (current.trim() !== '') statements.push(current.trim());
  return statements;
}

/** Every word and quoted name outside texts and comments, as the name it would be. */
export function namesIn(sql: string): Set<string> {
  const names = new Set<string>();
  for (let position = 0; position < sql.length;) {
    const [token, next] = tokenAt(sql, position);
    position = next;
    if (/^["A-Za-z_]/.test(token)) names.add(unquoted(token));
  }
  return names;
}

export interface RoleStatements {
  role: string;
  superuser: boolean;
  /** In the order in which they must run; the first creates the role. */
  statements: string[];
}

export interface Globals {
  roles: RoleStatements[];
  memberships: { role: string; member: string; statement: string }[];
}

/** The roles of `pg_dumpall --globals-only` and who is a member of whom. Tablespaces are left out. */
export function readGlobals(sql: string): Globals {
  const roles = new Map<string, RoleStatements>();
  const memberships: Globals['memberships'] = [];
  for (const statement of splitStatements(sql)) {
    const [, created] = new RegExp(`^CREATE ROLE (${NAME})$`).exec(statement) ?? [];
    if (created !== undefined) {
      roles.set(created, { role: unquoted(created), superuser: false, statements: [statement] });
      continue;
    }
    const [, altered, change = ''] =
      new RegExp(`^(?:ALTER ROLE|COMMENT ON ROLE) (${NAME}) ((?:WITH|SET|IS)\\s.*)$`, 's').exec(statement) ??
      [];
    const role = altered === undefined ? undefined : roles.get(altered);
    if (role) {
      role.statements.push(statement);
      if (/^WITH (.* )?SUPERUSER\b/s.test(change)) role.superuser = true;
      continue;
    }
    const [, group, member] =
      new RegExp(`^GRANT (${NAME}) TO (${NAME})(?: WITH .*| GRANTED BY .*)?$`, 's').exec(statement) ?? [];
    // The grantor of the original need not exist here, and a grant by whoever restores means the same.
    if (group !== undefined && member !== undefined) {
      const granted = statement.replace(new RegExp(` GRANTED BY ${NAME}$`), '');
      memberships.push({ role: unquoted(group), member: unquoted(member), statement: granted });
    }
  }
  return { roles: [...roles.values()], memberships };
}

export interface DatabaseDefinition {
  name: string;
  /** `ENCODING = 'UTF8' LOCALE_PROVIDER = libc …`, ready for `create database … template template0 …`. */
  options: string;
  /** Owner, grants, settings, comment: the same statements about a database of another name. */
  properties(database: string): string[];
}

/**
 * What a dump says of its database itself: `pg_restore --create` prints it, but creates and connects to
 * the original name only.
 */
export function readDatabaseDefinition(sql: string): DatabaseDefinition | null {
  const statements = splitStatements(sql);
  const creation = new RegExp(
    `^CREATE DATABASE (${NAME}) WITH TEMPLATE = template0((?: [A-Z_]+ = (?:'(?:[^']|'')*'|${NAME}))*)$`,
  );
  const found = statements.map((statement) => creation.exec(statement)).find((match) => match !== null);
  const [, spelled, options = ''] = found ?? [];
  if (spelled === undefined) return null;
  const wanted = [
    'ENCODING',
    'LOCALE_PROVIDER',
    'LOCALE',
    'LC_COLLATE',
    'LC_CTYPE',
    'ICU_LOCALE',
    'ICU_RULES',
    'BUILTIN_LOCALE',
  ];
  const kept = [...options.matchAll(new RegExp(`([A-Z_]+) = ('(?:[^']|'')*'|${NAME})`, 'g'))]
    .filter(([, word = '']) => wanted.includes(word))
    .map(([option]) => option);
  const name = spelled.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const about = [
    new RegExp(`^(ALTER DATABASE )${name}( (?:OWNER TO|SET|CONNECTION LIMIT)\\b.*)$`, 's'),
    new RegExp(`^((?:GRANT|REVOKE) [A-Z, ]+ ON DATABASE )${name}( (?:TO|FROM) .*)$`, 's'),
    new RegExp(`^(COMMENT ON DATABASE )${name}( IS .*)$`, 's'),
    new RegExp(`^(ALTER ROLE ${NAME} IN DATABASE )${name}( SET .*)$`, 's'),
  ];
  return {
    name: unquoted(spelled),
    options: kept.join(' '),
    properties: (database) =>
      statements.flatMap((statement) => {
        const match = about.map((form) => form.exec(statement)).find((one) => one !== null);
        return match ? [`${match[1]}"${database.replaceAll('"', '""')}"${match[2]}`] : [];
      }),
  };
}

/** As PostgreSQL's own tools spell names: bare only when lower case and simple. */
const NAME = '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)';

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function tokenAt(sql: string, position: number): [token: string, next: number] {
  const rest = sql.slice(position, position + 80);
  const end = endOfToken(sql, position, rest);
  return [sql.slice(position, end), end];
}

function endOfToken(sql: string, position: number, rest: string): number {
  if (rest.startsWith('--')) return after(sql, '\n', position);
  if (rest.startsWith('/*')) return after(sql, '*/', position + 2);
  if (/^E'/i.test(rest)) return endOfQuoted(sql, position + 2, "'", true);
  if (rest.startsWith("'")) return endOfQuoted(sql, position + 1, "'", false);
  if (rest.startsWith('"')) return endOfQuoted(sql, position + 1, '"', false);
  const dollar = /^\$(?:[A-Za-z_]\w*)?\$/.exec(rest)?.[0];
  if (dollar !== undefined) return after(sql, dollar, position + dollar.length);
  const word = /^(?:[A-Za-z_][\w$]*|\s+)/.exec(rest)?.[0];
  return position + (word?.length ?? 1);
}

function endOfQuoted(sql: string, start: number, quote: string, backslashes: boolean): number {
  for (let position = start; position < sql.length; position += 1) {
    if (backslashes && sql[position] === '\\') position += 1;
    else if (sql[position] === quote && sql[position + 1] === quote) position += 1;
    else if (sql[position] === quote) return position + 1;
  }
  return sql.length;
}

function after(sql: string, end: string, from: number): number {
  const found = sql.indexOf(end, from);
  return found === -1 ? sql.length : found + end.length;
}
