import assert from 'node:assert/strict';
import { parseConfiguration } from '../../domain/configuration/parse.ts';
import { demoConfiguration } from '../../tools/demo/configuration.ts';

describe('the configuration of the demo', () => {
  it('is one that Holdfast takes, and drills all of it from the off-site copy', () => {
    const places = { storeUrl: 'http://127.0.0.1:9000', sqliteFile: '/srv/shop.db', tree: '/srv/uploads' };
    const source = { file: 'holdfast.yaml', folder: '/srv' };
    const { configuration } = parseConfiguration(demoConfiguration(places), source);
    assert.deepEqual(
      configuration.drills?.map(({ name, from }) => [name, from]),
      [['site-loss', 'offsite']],
    );
  });
});
