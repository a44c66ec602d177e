// The configuration's shape, for what Holdfast can do today: a key whose capability is not built is not here,
// and so refused. What holds between keys (names that must exist, pairs that exclude each other) is in rules.ts.

import { z } from 'zod';
import { expects, say } from './say.ts';
import { asset } from './schema-assets.ts';
import * as timing from './schema-timing.ts';
import { objectives } from './schema-objectives.ts';
import { verification } from './schema-verification.ts';
import { controlPlane } from './schema-control-plane.ts';
import { drills } from './schema-drills.ts';
import { kit } from './schema-kit.ts';
import * as guards from './schema-guards.ts';
import { repositorySsh } from './schema-targets.ts';
import { notifications } from './schema-notifications.ts';
import { immutability, retention } from './schema-retention.ts';
import * as value from './schema-values.ts';

const temporal = value.keys('where Temporal is', {
  address: z
    .string({ error: expects('host and port', 'temporal.example.org:7233') })
    .regex(
      /^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9][A-Za-z0-9._-]*):\d{1,5}$/,
      say('not host and port', 'write it like temporal:7233'),
    ),
  namespace: z
    .string({ error: expects('a namespace', 'default') })
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, say('not a namespace', 'write it like default'))
    .optional(),
});

const ports = value.keys('ports of the embedded stack', {
  temporal: value.port.optional(),
  temporalUi: value.port.optional(),
  catalog: value.port.optional(),
  api: value.port.optional(),
  metrics: value.port.optional(),
});

const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, say('not the name of a variable', 'use letters, digits and "_"'))
  .refine(
    (name) => !setByHoldfast.includes(name),
    say('Holdfast sets this variable itself', 'use the keys url and password'),
  )
  .refine(
    (name) => !/^(LD_|DYLD_|PATH$)/.test(name),
    say('this variable would change which program runs', 'take it out'),
  );

const setByHoldfast = ['', '_FILE', '_COMMAND'].flatMap((form) => [
  `RESTIC_PASSWORD${form}`,
  `RESTIC_REPOSITORY${form}`,
]);

const repository = value.keys('a repository', {
  name: value.name,
  type: z.literal('restic', {
    error: (issue) =>
      issue.input === undefined
        ? say('missing: the type of repository', 'add type: restic')
        : say(
            'not a repository type that is known to encrypt: nothing leaves a site in plain',
            'use type: restic',
          ),
  }),
  url: value.repositoryUrl,
  password: value.repositoryPassword,
  env: z
    .record(variable, value.secret, { error: expects('variables', '{ AWS_ACCESS_KEY_ID: env:KEY_ID }') })
    .optional(),
  limits: guards.limits.optional(),
  headroom: guards.headroom.optional(),
  immutability: immutability.optional(),
  ssh: repositorySsh.optional(),
});

const copy = z.union([
  value.name,
  value.keys('a copy', {
    repository: value.name,
    every: value.duration.optional(),
    cron: value.cron.optional(),
    lag: value.duration.optional(),
    retention: retention.optional(),
  }),
]);

const policy = value
  .keys('a policy', {
    name: value.name,
    renamedFrom: value.name.optional(),
    assets: value
      .list(value.name, 'a list of asset names', '[orders, uploads]')
      .min(1, say('the policy protects nothing', 'name its assets')),
    every: value.duration.optional(),
    cron: value.cron.optional(),
    window: timing.window.optional(),
    jitter: value.duration.optional(),
    catchUp: timing.catchUp.optional(),
    overlap: z.enum(['skip', 'queue']).optional(),
    repository: value.name,
    copies: value.list(copy, 'a list of repositories', '[offsite]').optional(),
    retention: retention.optional(),
    proof: z.enum(['stored', 'verified', 'proven']).optional(),
    objectives: objectives.optional(),
    verification: verification.optional(),
  })
  .meta({ oneOf: [{ required: ['every'] }, { required: ['cron'] }] });

export const configurationSchema = value.keys('a configuration', {
  version: z.literal(1, {
    error: (issue) =>
      issue.input === undefined
        ? say('missing: the version of this format', 'add version: 1')
        : say(
            'this program reads version 1 only',
            'write version: 1, or use the Holdfast it was written for',
          ),
  }),
  dataDir: value.path.optional(),
  temporal: temporal.optional(),
  catalog: value.keys('where the catalogue is', { url: value.databaseUrl }).optional(),
  ports: ports.optional(),
  repositories: value.list(repository, 'a list of repositories', '[{ name: local, … }]').optional(),
  assets: value.list(asset, 'a list of assets', '[{ name: uploads, … }]').optional(),
  policies: value.list(policy, 'a list of policies', '[{ name: daily, … }]').optional(),
  drills: drills.optional(),
  evidence: value.keys('where evidence goes', { folder: value.path }).optional(),
  kit: kit.optional(),
  controlPlane: controlPlane.optional(),
  idempotency: guards.idempotency.optional(),
  notifications: notifications.optional(),
});

/** As written and found right: defaults not yet filled in, paths not yet absolute. */
export type WrittenConfiguration = z.output<typeof configurationSchema>;
