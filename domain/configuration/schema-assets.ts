import { z } from 'zod';
import { expects, say } from './say.ts';
import * as value from './schema-values.ts';
import type { HealthCheck } from './types.ts';

const commandCheck = { command: value.command.optional() };
const httpCheck = { http: value.httpUrl.optional() };
const sqlCheck = { sql: value.sql.optional() };

const health = healthCheck({ ...commandCheck, ...httpCheck });
const healthWithSql = healthCheck({ ...commandCheck, ...httpCheck, ...sqlCheck });

const hooks = value.keys('hooks', {
  before: value.commands.optional(),
  after: value.commands.optional(),
  onError: z.enum(['fail', 'continue']).optional(),
});

const common = {
  name: value.name,
  renamedFrom: value.name.optional(),
  owner: value.owner.optional(),
  class: z.enum(['critical', 'standard', 'rebuildable']).optional(),
  hooks: hooks.optional(),
};

const postgres = value.keys('a postgres asset', {
  ...common,
  type: z.literal('postgres'),
  url: value.databaseUrl,
  method: z.enum(['dump']).optional(),
  checks: value
    .list(value.keys('a check', { sql: value.sql }), 'a list of checks', '[{ sql: "select true" }]')
    .optional(),
  restore: restorePlan(healthWithSql).optional(),
});

const sqlite = value.keys('a sqlite asset', {
  ...common,
  type: z.literal('sqlite'),
  path: value.path,
  expect: value.keys('what is expected', { minBytes: value.size.optional() }).optional(),
  restore: restorePlan(healthWithSql).optional(),
});

const directory = value.keys('a directory asset', {
  ...common,
  type: z.literal('directory'),
  path: value.path,
  exclude: value.list(value.excludePattern, 'a list of patterns', '["*.tmp"]').optional(),
  expect: value
    .keys('what is expected', { minFiles: value.count.optional(), minBytes: value.size.optional() })
    .optional(),
  restore: restorePlan(health).optional(),
});

export const asset = z.discriminatedUnion('type', [postgres, sqlite, directory], {
  error: expects('an asset', '{ name: …, type: directory, path: … }'),
});

function restorePlan<Check extends z.ZodType>(check: Check) {
  return value.keys('what a restore stops, starts and asks', {
    stop: value.commands.optional(),
    start: value.commands.optional(),
    health: value.list(check, 'a list of checks', '[{ http: "http://127.0.0.1:8080/" }]').optional(),
  });
}

/** Exactly one of its keys. Written as optional keys so that a wrong one is answered by name. */
function healthCheck<Shape extends typeof commandCheck & typeof httpCheck & Partial<typeof sqlCheck>>(
  shape: Shape,
) {
  const known = Object.keys(shape);
  return value
    .keys('a health check', shape)
    .meta({ oneOf: known.map((key) => ({ required: [key] })) })
    .transform((written, context): HealthCheck => {
      const { command, http, sql } = written as { command?: HealthCommand; http?: string; sql?: string };
      const given: HealthCheck[] = [];
      if (command !== undefined) given.push({ kind: 'command', command });
      if (http !== undefined) given.push({ kind: 'http', url: http });
      if (sql !== undefined) given.push({ kind: 'sql', sql });
      if (given[0] && given.length === 1) return given[0];
      // An unknown key is said already; what it was meant to be is then not missing as well.
      if (context.issues.length > 0) return z.NEVER;
      const message = say(
        `a health check has exactly one of ${known.join(', ')}`,
        'write one entry for each',
      );
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    });
}

type HealthCommand = Extract<HealthCheck, { kind: 'command' }>['command'];
