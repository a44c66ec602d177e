import assert from 'node:assert/strict';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../activities/deployment.ts';
import { requireEncrypting } from '../../activities/look-once.ts';
import type { Repository } from '../../activities/repositories/repository.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { aConfiguration, withCatalog } from '../catalog/fixture.ts';
import { recordedStep, removeFolder, temporaryFolder } from './repositories/repository-fixtures.ts';

describe('whether an existing repository is behind an rclone crypt that encrypts', () => {
  const fixture = withCatalog();
  let room: string;
  let asked = 0;
  let encrypts = true;
  beforeEach(async () => {
    room = await temporaryFolder();
    asked = 0;
    encrypts = true;
    await fixture.sql('truncate repository_looks');
    await writeFile(join(room, 'rclone.conf'), '[hidden]', { mode: 0o600 });
    await writeFile(join(room, 'path'), join(room, 'rclone.conf'), { mode: 0o600 });
  });
  afterEach(() => removeFolder(room));

  const repository = {
    name: 'offsite',
    requireEncrypting: async () => {
      asked += 1;
      const told = { code: 'repository.untrusted' as const, message: 'no', cause: 'plain', hint: 'mend it' };
      if (!encrypts) throw new HoldfastError(told);
    },
  } as unknown as Repository;
  const look = (url: string) => {
    const configuration = aConfiguration();
    const repositories = configuration.repositories.map((one) => ({
      ...one,
      url,
      env: { RCLONE_CONFIG: { kind: 'file' as const, path: join(room, 'path') } },
    }));
    const deployment = { catalog: fixture.catalog, clock: () => new Date() } as unknown as Deployment;
    return requireEncrypting(deployment, { ...configuration, repositories }, repository, recordedStep());
  };

  it('is looked at once, and again when it is reached in another way or rclone is configured anew', async () => {
    await look('rclone:hidden:depot');
    await look('rclone:hidden:depot');
    assert.equal(asked, 1);
    await look('rclone:hidden:other');
    assert.equal(asked, 2);
    await utimes(join(room, 'rclone.conf'), 1, 1);
    await look('rclone:hidden:other');
    assert.equal(asked, 3);
    await look('/srv/offsite');
    assert.equal(asked, 3, 'there is none');
  });

  it('is refused each time as long as it does not', async () => {
    encrypts = false;
    await assert.rejects(look('rclone:hidden:depot'), { code: 'repository.untrusted' });
    await assert.rejects(look('rclone:hidden:depot'), { code: 'repository.untrusted' });
    encrypts = true;
    await look('rclone:hidden:depot');
    assert.equal(asked, 3);
  });
});
