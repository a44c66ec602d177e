import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { applyAtStart } from '../../api/starting-configuration.ts';
import type { Services } from '../../api/services.ts';
import { parseConfiguration } from '../../domain/configuration/parse.ts';

describe('the configuration when the API starts', () => {
  let folder: string;
  let path: string;
  let applied: string | null;
  let warnings: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-start-'));
    path = join(folder, 'holdfast.yaml');
    applied = null;
    warnings = [];
    await configure('critical');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const applyConfiguration = async (
    _actor: unknown,
    { source, path, dryRun }: { source: string; path: string; dryRun: boolean },
  ) => {
    parseConfiguration(source, { file: path, folder: dirname(path) });
    const changed = applied !== source;
    if (!dryRun) applied = source;
    return { changed };
  };
  const services = { applyConfiguration, currentConfiguration: async () => applied } as unknown as Services;
  const start = (asked: boolean) => applyAtStart(services, path, asked, (message) => warnings.push(message));
  const configure = (policy: string) =>
    writeFile(
      path,
      JSON.stringify({
        version: 1,
        repositories: [{ name: 'local', type: 'restic', url: './local', password: 'file:./local.key' }],
        assets: [{ name: 'orders', type: 'directory', path: '/srv/orders' }],
        policies: [{ name: policy, assets: ['orders'], every: '24h', repository: 'local' }],
      }),
    );

  it('is applied when `up` starts it', async () => {
    await start(true);
    assert.match(applied ?? '', /critical/);
    await configure('other');
    await start(true);
    assert.match(applied ?? '', /other/);
  });

  it('is not applied when it is only started again, and that is said where the file differs', async () => {
    await start(true);
    await start(false);
    assert.deepEqual(warnings, []);
    await configure('half-done');
    await start(false);
    assert.match(applied ?? '', /critical/);
    assert.match(warnings.join(), /a restart does not apply it/);
  });

  it('is applied by a start again when nothing is yet', async () => {
    await start(false);
    assert.match(applied ?? '', /critical/);
  });

  it('that is invalid keeps the last applied one served, and stops only `up`', async () => {
    await start(true);
    await writeFile(path, 'version: 1\npolicies: [');
    await start(false);
    assert.match(applied ?? '', /critical/);
    assert.match(warnings.join(), /what was applied last is served: [^]*holdfast\.yaml/);
    await assert.rejects(start(true), { code: 'configuration.invalid' });
  });
});
