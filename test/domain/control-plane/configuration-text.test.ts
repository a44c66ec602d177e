import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { withCatalogUrl, withDataDir } from '../../../domain/control-plane/configuration-text.ts';

describe('another data directory in the text of a configuration', () => {
  const cases: [what: string, before: string, after: string][] = [
    [
      'in its place',
      '# ours\ndataDir: ./a # here\nversion: 1\n',
      '# ours\ndataDir: "/new" # here\nversion: 1\n',
    ],
    ['quoted before', `dataDir: './a'\nversion: 1\n`, 'dataDir: "/new"\nversion: 1\n'],
    [
      'added where there was none',
      'version: 1\nassets: [] # none',
      'version: 1\nassets: [] # none\ndataDir: "/new"\n',
    ],
    ['in JSON', '{"version": 1, "dataDir": "./a"}', '{"version": 1, "dataDir": "/new"}'],
  ];
  for (const [what, before, after] of cases) it(what, () => assert.equal(withDataDir(before, '/new'), after));

  it('added to JSON, or in place of an alias', () => {
    for (const text of ['{ "version": 1 }', 'version: 1\nassets: [&a ./a]\ndataDir: *a\n'])
      assert.equal((parse(withDataDir(text, '/new')) as { dataDir: string }).dataDir, '/new');
  });

  it('with whatever is in its name', () => {
    const odd = '/a: "b" # \u00e9';
    assert.equal((parse(withDataDir('version: 1', odd)) as { dataDir: string }).dataDir, odd);
  });
});

describe('another database of the catalogue in the text of a configuration', () => {
  const cases: [what: string, before: string, after: string][] = [
    [
      'in its place',
      'catalog: { url: "postgres://gone/holdfast" } # here\nversion: 1\n',
      'catalog: { url: "env:NEW" } # here\nversion: 1\n',
    ],
    ['below it', 'catalog:\n  url: env:OLD\n', 'catalog:\n  url: "env:NEW"\n'],
    ['added where there was none', 'version: 1', 'version: 1\ncatalog: { url: "env:NEW" }\n'],
  ];
  for (const [what, before, after] of cases)
    it(what, () => assert.equal(withCatalogUrl(before, 'env:NEW'), after));
});
