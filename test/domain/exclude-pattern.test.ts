import assert from 'node:assert/strict';
import { excludePatterns, invalidExcludePatterns } from '../../domain/exclude-pattern.ts';

describe('exclude patterns', () => {
  const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
  const cases: [patterns: string[], path: string, excluded: boolean][] = [
    [['*.tmp'], '/srv/a/b.tmp', true],
    [['*.tmp'], '/srv/a.tmpx', false],
    [['a/b'], '/srv/a/b', true],
    [['a/b'], '/srv/a/x/b', false],
    [['/srv/a'], '/srv/a', true],
    [['/a'], '/srv/a', false],
    [['/srv/**/x'], '/srv/x', true],
    [['/srv/**/x'], '/srv/1/2/x', true],
    [['**'], '/srv', true],
    [['srv'], '/srv/anything', true],
    [['*', '!keep'], '/srv/keep', false],
    [['!keep', '*'], '/srv/keep', true],
    [[''], '/srv/x', false],
    [['./a//b/../c'], '/srv/a/c', true],
    [['?'], bytes('/ü'), true],
    [['[ä-ü]'], bytes('/ö'), true],
    [['[^a]'], '/b', true],
    [['?'], '/\xff', true],
    [['??'], '/\xc3(', true],
    [['\\*'], '/*', true],
    [['\\*'], '/a', false],
    [['a*b*c'], '/aXbYbZc', true],
    [['ü*'], bytes('/übel'), true],
  ];
  for (const [patterns, path, excluded] of cases) {
    it(`${JSON.stringify(patterns)} ${excluded ? 'matches' : 'leaves'} ${JSON.stringify(path)}`, () => {
      assert.equal(excludePatterns(patterns)(path), excluded);
    });
  }

  it('finds what restic would refuse', () => {
    assert.deepEqual(invalidExcludePatterns(['[', 'a[]', '[a-]', 'x\\', 'fine[a-z]', '*', '']), [
      '[',
      'a[]',
      '[a-]',
      'x\\',
    ]);
  });
});
