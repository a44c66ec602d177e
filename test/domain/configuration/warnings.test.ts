import assert from 'node:assert/strict';
import { directory, policy, read, written } from './written.ts';

interface Case {
  title: string;
  text: string;
  at: string;
  path: string;
  says: RegExp;
  value?: string | null;
}

describe('told, not refused', () => {
  const cases: Case[] = [
    {
      title: 'no policy at all',
      text: 'version: 1\n',
      at: '1:1',
      path: 'policies',
      says: /nothing is backed up/,
    },
    {
      title: 'an asset in no policy',
      text: policy('every: 1h, repository: local, copies: [offsite]').replace(
        '[orders, uploads]',
        '[orders]',
      ),
      at: '7:13',
      path: 'assets[1].name',
      says: /no policy protects this asset/,
      value: '"uploads"',
    },
    {
      title: 'a repository in no policy',
      text: policy('every: 1h, repository: local'),
      at: '4:13',
      path: 'repositories[1].name',
      says: /no policy uses this repository/,
    },
    {
      title: 'an RPO that its interval cannot keep',
      text: policy('every: 24h, repository: local, copies: [offsite], objectives: { rpo: 1h }'),
      at: '9:112',
      path: 'policies[0].objectives.rpo',
      says: /up to 1 d apart/,
    },
    {
      title: 'an RPO that its cron cannot keep over the weekend',
      text: policy('cron: "0 3 * * 1-5", repository: local, copies: [offsite], objectives: { rpo: 24h }'),
      at: '9:121',
      path: 'policies[0].objectives.rpo',
      says: /up to 3 d apart/,
    },
    {
      title: 'a port of what is not started: Temporal',
      text: written({ head: 'version: 1\ntemporal: { address: h:1 }\nports: { temporal: 7233, api: 1 }' }),
      at: '3:20',
      path: 'ports.temporal',
      says: /no embedded Temporal/,
    },
    {
      title: 'a port of what is not started: the catalogue',
      text: written({ head: 'version: 1\ncatalog: { url: env:C }\nports: { catalog: 5432 }' }),
      at: '3:19',
      path: 'ports.catalog',
      says: /no embedded PostgreSQL/,
    },
    {
      title: 'a directory that holds its repository',
      text: written()
        .replace('path: /srv/uploads', 'path: ./repo/..')
        .replace('version: 1', 'version: 1\ndataDir: /var/lib/holdfast'),
      at: '8:45',
      path: 'assets[1].path',
      says: /holds the repository local/,
    },
    {
      title: 'a directory that holds the data directory',
      text: written({ head: 'version: 1\ndataDir: /srv/uploads/x/.holdfast' }),
      at: '8:45',
      path: 'assets[1].path',
      says: /holds the data directory/,
    },
  ];
  for (const { title, text, at, path, says, value } of cases) {
    it(title, () => {
      const { warnings } = read(text);
      assert.equal(warnings.length, 1, JSON.stringify(warnings));
      const [warning] = warnings;
      assert.ok(warning);
      assert.equal(`${warning.line}:${warning.column}`, at);
      assert.equal(warning.path, path);
      assert.match(warning.message, says);
      assert.notEqual(warning.fix, '');
      if (value !== undefined) assert.equal(warning.value, value);
    });
  }

  it('nothing of a data directory that is excluded, by path or by name', () => {
    for (const pattern of ['/srv/a/ü/.holdfast', '.holdfast', '.hold*', '/srv/a/ü', 'ü']) {
      const text = directory(`exclude: [${pattern}]`).replace(
        'version: 1',
        'version: 1\ndataDir: /srv/a/ü/.holdfast',
      );
      assert.deepEqual(
        read(text).warnings.filter(({ path }) => path.endsWith('.path')),
        [],
      );
    }
  });
});
