import assert from 'node:assert/strict';
import type { Refusal } from './written.ts';
import { assertRefused, errorOf, policy, read, written } from './written.ts';

describe('a configuration that is not right YAML is refused', () => {
  const cases: [string, string, Refusal][] = [
    ['an empty file', '§', { says: /is empty/, fix: /holdfast init/, path: '' }],
    ['only comments', '§# nothing yet\n', { says: /is empty/ }],
    ['an empty mapping', '§{}', { says: /is empty/ }],
    ['a list', '§- version: 1', { says: /expected a configuration, found a list/ }],
    ['a text', '§hello', { says: /expected a configuration, found a text/ }],
    ['an open bracket', 'version: 1\nassets: [§', { says: /bracket is not closed/ }],
    ['an open quote', 'version: 1\ndataDir: "x§', { says: /a character is missing/ }],
    ['a tab', 'version: 1\nports:\n§\tapi: 1', { says: /a tab indents/, fix: /spaces/ }],
    ['an unknown escape', 'version: 1\ndataDir: "§\\q"', { says: /escape/ }],
    ['a reserved character', 'version: 1\ndataDir: §@x', { says: /cannot start/, fix: /quotes/ }],
    ['two colons', 'version: 1\ndataDir: §a: b', { says: /two ": "/ }],
    ['a second document', 'version: 1\n§---\nversion: 1', { says: /second document/ }],
    ['a tag', 'version: 1\ndataDir: §!vault x', { says: /tag/ }],
    ['an undefined alias', 'version: 1\ndataDir: §*place', { says: /alias .* is not defined/ }],
    ['a mapping as a key', 'version: 1\n? §[a]\n: b', { says: /a key is not a text/ }],
    ['a repeated key', 'version: 1\n§version: 1\n', { says: /the key "version" is here twice/ }],
  ];
  for (const [title, text, refusal] of cases) it(title, () => assertRefused(text, refusal));

  it('a repeated key, together with everything else that is wrong', () => {
    assertRefused(
      'version: 1\ndataDir: a\n§dataDir: b\n§recipes: []\n',
      { says: /here twice/ },
      { says: /unknown key/, path: 'recipes' },
    );
  });

  for (const unit of ['[', '{a: ', '- ', '? ', '{[']) {
    it(`${unit} again and again, without breaking down`, () => {
      assert.match(errorOf('a:\n' + unit.repeat(50_000)).problems[0]?.message ?? '', /nested too deeply/);
    });
  }

  it('aliases that multiply', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const inner = Array.from({ length: 10 }, () => (level === 0 ? 'x' : `*l${level - 1}`)).join(', ');
      return `l${level}: &l${level} [${inner}]`;
    });
    assert.match(errorOf(levels.join('\n')).problems[0]?.message ?? '', /aliases repeat/);
  });

  it('an alias that holds itself', () => {
    assertRefused(written({ head: 'version: 1\ndataDir: &a §[*a]' }), { says: /found a list/ });
    assertRefused(
      policy('every: 1h, repository: local, copies: &a [§*a], proof: §*a'),
      { says: /expected a copy, found a list/ },
      { says: /not known here/, fix: /use one of stored/ },
    );
  });

  it('a value reached over an alias, where it is written', () => {
    const text = written({
      repositories: `repositories:
  - { name: a, type: restic, url: ./a, password: &key §hunter2 }
  - { name: b, type: restic, url: ./b, password: §*key }`,
      policies: '',
    });
    const { problems } = errorOf(text.replaceAll('§', ''));
    assert.deepEqual(
      problems.map(({ line, path }) => [line, path]),
      [
        [3, 'repositories[0].password'],
        [4, 'repositories[1].password'],
      ],
    );
  });

  it('reads CRLF, a byte order mark and anchors', () => {
    const text = '\ufeff' + written({ head: 'version: 1\ndataDir: &here ./x' }).replaceAll('\n', '\r\n');
    assert.equal(read(text).configuration.dataDir, '/etc/holdfast/x');
  });
});

describe('what a reader gets', () => {
  it('every problem at once, in the order of the lines, as file:line:column path: message', () => {
    const error = errorOf('version: 2\ndataDir: ~/x\nsites: []\n');
    assert.equal(error.code, 'configuration.invalid');
    assert.equal(error.exitCode, 2);
    assert.equal(error.message, 'holdfast.yaml has 3 problems');
    assert.deepEqual(error.cause.split('\n'), [
      'holdfast.yaml:1:10 version: this program reads version 1 only: 2',
      '  fix: write version: 1, or use the Holdfast it was written for',
      'holdfast.yaml:2:10 dataDir: ~ is not expanded: "~/x"',
      '  fix: write the whole path, or ./ before it',
      'holdfast.yaml:3:1 sites: unknown key',
      '  fix: the nearest known is "assets"; known here: version, dataDir, temporal, catalog, ports, repositories, assets, policies, drills, evidence, kit, controlPlane, idempotency, notifications',
    ]);
  });
});
