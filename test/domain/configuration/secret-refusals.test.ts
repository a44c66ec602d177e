import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseConfiguration } from '../../../domain/configuration/parse.ts';
import { ConfigurationError } from '../../../domain/configuration/problem.ts';
import { formatError } from '../../../domain/errors.ts';
import { MASKED } from '../../../domain/secret-reference.ts';
import type { Refusal } from './written.ts';
import { asset, assertRefused, directory, repository, source, written } from './written.ts';

describe('refused: secrets written out', () => {
  const plain = { says: /written out where a reference belongs/, shows: MASKED, fix: /file:PATH/ };
  const inUrl = { says: /a secret written out in it/, shows: MASKED };
  const inDatabaseUrl = { says: /a password written out in it/, shows: MASKED };
  const cases: [string, string, Refusal][] = [
    ['a password', repository('url: ./r, password: §hunter2'), plain],
    [
      'a password that is a number',
      repository('url: ./r, password: §12345'),
      { says: /found a number/, shows: MASKED },
    ],
    ['a variable', repository('url: ./r, password: env:K, env: { AWS_SECRET_ACCESS_KEY: §hunter2 }'), plain],
    [
      'a reference that is none',
      repository('url: ./r, password: §env:hunter 2'),
      { says: /name of a variable/, shows: MASKED },
    ],
    [
      'a command with a pipe',
      repository('url: ./r, password: §cmd:echo hunter2|cat'),
      { says: /needs a shell/, shows: MASKED },
    ],
    [
      'in a REST URL',
      repository('url: §"rest:https://u:hunter2@h/", password: env:K'),
      { ...inUrl, fix: /RESTIC_REST_PASSWORD/ },
    ],
    ['in an S3 URL', repository('url: §"s3:https://key:hunter2@h/b", password: env:K'), inUrl],
    ['in an SFTP URL', repository('url: §"sftp://u:hunter2@h/b", password: env:K'), inUrl],
    [
      'in an rclone remote',
      repository('url: §"rclone::s3,secret_access_key=hunter2:b", password: env:K'),
      inUrl,
    ],
    ['in a database URL', asset('type: postgres, url: §"postgres://u:hunter2@h/db"'), inDatabaseUrl],
    ['in its parameters', asset('type: postgres, url: §"postgres://u@h/db?password=hunter2"'), inDatabaseUrl],
    [
      'in the catalogue',
      written({ head: 'version: 1\ncatalog: { url: §"postgresql://u:hunter2@h/db" }' }),
      inDatabaseUrl,
    ],
    ['in a health check', directory('restore: { health: [{ http: §"http://u:hunter2@h/" }] }'), inUrl],
  ];
  for (const [title, text, refusal] of cases) {
    it(title, () => {
      assertRefused(text, refusal);
      assert.doesNotMatch(everythingSaid(text.replace('§', '')), /hunter|12345/);
    });
  }
});

describe('refused: a repository that anybody could read (law 2)', () => {
  const open = { says: /without a password/, fix: /file:PATH/ };
  const optional = { says: /encryption is not optional/ };
  const http = { says: /nothing leaves a site in plain/, fix: /https/ };
  const cases: [string, string, Refusal][] = [
    ['password: none', repository('url: ./r, password: §none'), open],
    ['password: ""', repository('url: ./r, password: §""'), open],
    ['password: false', repository('url: ./r, password: §false'), open],
    ['password: null', repository('url: ./r, password: §null'), open],
    ['password with nothing after it', repository('url: ./r, §password:'), open],
    ['an empty file', repository('url: ./r, password: §file:/dev/null'), { says: /empty secret/ }],
    ['insecureNoPassword', repository('url: ./r, password: env:K, §insecureNoPassword: true'), optional],
    [
      '--insecure-no-password',
      repository('url: ./r, password: env:K, §--insecure-no-password: true'),
      optional,
    ],
    ['encryption: none', repository('url: ./r, password: env:K, §encryption: none'), optional],
    [
      'another type',
      repository('url: ./r, password: env:K').replace('type: restic', 'type: §rsync'),
      { says: /known to encrypt/, shows: '"rsync"' },
    ],
    [
      'no type',
      repository('url: ./r, password: env:K').replace('- { name: local, type: restic', '- §{ name: local'),
      { says: /missing: the type/ },
    ],
    [
      'S3 over http',
      repository('url: §"s3:http://s3.example.org/b", password: env:K'),
      { ...http, shows: '"s3:http://s3.example.org/b"' },
    ],
    ['REST over http', repository('url: §"rest:http://10.0.0.5:8000/", password: env:K'), http],
    [
      'a host that only begins like this one',
      repository('url: §"rest:http://127.0.0.1.example.org/", password: env:K'),
      http,
    ],
    [
      'the password again as a variable',
      repository('url: ./r, password: env:K, env: { §RESTIC_PASSWORD: env:X }'),
      { says: /sets this variable itself/ },
    ],
    [
      'a variable that loads code',
      repository('url: ./r, password: env:K, env: { §LD_PRELOAD: env:X }'),
      { says: /which program runs/ },
    ],
    [
      'a variable that is none',
      repository('url: ./r, password: env:K, env: { §"A B": env:X }'),
      { says: /not the name of a variable/ },
    ],
  ];
  for (const [title, text, refusal] of cases) it(title, () => assertRefused(text, refusal));
});

describe('a canary secret is in no message, wherever it was put by mistake', () => {
  const canary = 'cAn4ryCANARY7788990011';
  const whole = written({
    head: 'version: 1\ndataDir: ./d\ntemporal: { address: h:7233, namespace: n }\ncatalog: { url: env:C }\nports: { api: 1 }',
    repositories: `repositories:
  - { name: local, type: restic, url: ./repo, password: file:./k, env: { A: env:B }, limits: { upload: 20MiB/s } }
  - { name: offsite, type: restic, url: "s3:https://s3.example.org/bucket", password: env:KEY }`,
    assets: `assets:
  - { name: orders, type: postgres, url: env:U, method: dump, class: critical, checks: [ { sql: select 1 } ],
      restore: { stop: [ [a, b] ], start: [ [c] ], health: [ { http: "http://h/x" } ] }, hooks: { before: [ [d] ], onError: fail } }
  - { name: uploads, type: directory, path: /srv/uploads, exclude: ["*.tmp"], expect: { minFiles: 1, minBytes: 1MiB } }`,
  });
  const scalars = [...whole.matchAll(/(?<=[:[,] )(?![{[&])"?[^\s,{}[\]"][^,{}[\]"\n]*"?/g)];

  const disguises = [
    canary,
    `postgres://u:${canary}@h/db`,
    `"cmd:echo ${canary}"`,
    `"cmd:echo ${canary} | x"`,
    `env:${canary} x`,
    `password=${canary}`,
    `"https://u:${canary}@h/"`,
    `"rest:https://u:${canary}@h/"`,
    `"@${canary}`,
    `*${canary}`,
    `!${canary} x`,
    `|${canary}`,
    `"\\q${canary}"`,
    `{ ${canary}: x }`,
    `x: ${canary}`,
    `&${canary}`,
  ];

  it('in any place of a configuration, in any disguise, or with the YAML broken around it', function () {
    this.timeout(180_000);
    assert.ok(scalars.length > 40);
    for (const { index, 0: scalar } of scalars) {
      for (const disguise of disguises) {
        const text = whole.slice(0, index) + disguise + whole.slice(index + scalar.length);
        const said = everythingSaid(text);
        assert.ok(!said.includes(canary), said);
      }
    }
  });

  it('as a repeated key, an unknown key, or the value of one', () => {
    for (const head of [
      `passwrod: ${canary}`,
      `token=${canary}: x`,
      `${canary}: x\n${canary}: y`,
      `? ${canary}\n: - x`,
    ]) {
      assert.ok(!everythingSaid(written({ head: `version: 1\n${head}` })).includes(canary), head);
    }
  });
});

describe('whatever is read', () => {
  it('is taken or refused with a ConfigurationError, each problem with a place, words and a fix', function () {
    this.timeout(180_000);
    const yamlish = fc.string({
      unit: fc.constantFrom(
        ...'abv1:-{}[]"\'&*!|>%@#,?~ \n\t\\\r<=',
        'version: 1\n',
        'assets:',
        'name: ',
        '__proto__: ',
      ),
    });
    const jsonish = fc
      .json()
      .map((text) => `{"version":1,"assets":${text},"policies":${text},"repositories":[${text}]}`);
    fc.assert(
      fc.property(fc.oneof(yamlish, jsonish), (text) => {
        try {
          parseConfiguration(text, source);
        } catch (error) {
          assert.ok(error instanceof ConfigurationError, String(error));
          assert.ok(error.problems.length > 0);
          for (const { line, column, message, fix } of error.problems) {
            assert.ok(line >= 1 && column >= 1);
            assert.ok(message !== '' && fix !== '' && !/Invalid|undefined/.test(message), message);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** All a person or a program could see of a refusal, or of the warnings with a configuration that was taken. */
function everythingSaid(text: string): string {
  try {
    return JSON.stringify(parseConfiguration(text, source).warnings);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return [
      formatError(error),
      String(error.stack),
      JSON.stringify(error.problems),
      JSON.stringify(error),
    ].join('\n');
  }
}
