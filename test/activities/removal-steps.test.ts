import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Deployment } from '../../activities/deployment.ts';
import { createRemovalSteps } from '../../activities/removal-steps.ts';
import type { Repository } from '../../activities/repositories/repository.ts';
import { aConfiguration, aPoint, withCatalog } from '../catalog/fixture.ts';
import {
  folderPart,
  labels,
  recordedStep,
  removeFolder,
  repositoryAt,
  temporaryFolder,
} from './repositories/repository-fixtures.ts';

describe('removing a recovery point from a restic repository', function () {
  this.timeout(120_000);
  const fixture = withCatalog();
  let room: string;
  let repository: Repository;
  before(async () => {
    room = await temporaryFolder();
    const folder = join(room, 'depot');
    repository = await repositoryAt({ url: folder, env: {}, folder }, room);
    await repository.ensure(recordedStep());
    await mkdir(join(room, 'data'));
    await fixture.catalog.configurations.apply(aConfiguration());
  });
  after(() => removeFolder(room));

  /** Two parts, as a database has, under the label of the asset's old name. */
  async function stored(): Promise<string> {
    const id = randomUUID();
    const parts = [];
    for (const part of ['dump', 'globals']) {
      await writeFile(join(room, 'data', part), `${id} ${part}`);
      const { snapshotId, path } = await repository.store(
        folderPart(join(room, 'data')),
        labels(id, { part, asset: 'old-name' }),
        recordedStep(),
      );
      parts.push({ name: part, snapshotId, path });
    }
    const takenAt = new Date().toISOString();
    const artifactId = parts.map(({ snapshotId }) => snapshotId).join('+');
    const copy = { repository: 'depot', artifactId, parts, storedAt: takenAt };
    await fixture.catalog.points.record(aPoint({ id, takenAt, copies: [copy] }), null);
    return id;
  }
  const idsThere = async () => (await repository.snapshots({}, recordedStep())).map(({ id }) => id).sort();

  function remove(
    point: string,
    opened: Repository = repository,
    attempt = 1,
    fence?: number,
  ): Promise<void> {
    const environment = new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
    const steps = createRemovalSteps({
      catalog: fixture.catalog,
      processes: {
        isOpen: async () => false,
        fenceOff: async () => [],
        record: async () => undefined,
        release: async () => undefined,
      },
      openRepository: async () => opened,
      clock: () => new Date(),
    } as unknown as Deployment);
    const input = { point, repository: 'depot', actor: 'anna', reason: 'mistaken', ...(fence && { fence }) };
    return environment.run<[typeof input], void, typeof steps.removeCopy>(steps.removeCopy, input);
  }

  it('forgets every part of it and nothing else, then the catalogue lets go of it', async () => {
    const [gone, kept] = [await stored(), await stored()];
    await remove(gone);
    const { copies } = await fixture.catalog.points.find(kept);
    assert.deepEqual(await idsThere(), (copies[0]?.parts ?? []).map(({ snapshotId }) => snapshotId).sort());
    await assert.rejects(fixture.catalog.points.find(gone), {
      code: 'point.unknown',
      cause: /anna removed it/,
    });
  });

  it('goes on where it was killed: between two snapshots, and before the catalogue knew', async () => {
    const id = await stored();
    const [first] = (await fixture.catalog.points.find(id)).copies[0]?.parts ?? [];
    await repository.forget([first?.snapshotId ?? ''], recordedStep());
    const dying = Object.create(repository, {
      forget: {
        value: async (ids: string[]) => {
          await repository.forget(ids, recordedStep());
          throw new Error('killed');
        },
      },
    }) as Repository;
    await assert.rejects(remove(id, dying));
    assert.equal((await fixture.catalog.points.find(id)).copies.length, 1, 'not taken for gone yet');
    await remove(id, repository, 2);
    await remove(id, repository, 3);
    await assert.rejects(fixture.catalog.points.find(id), { code: 'point.unknown' });
  });

  it('takes nothing away under a lease that was granted to somebody else since', async () => {
    const id = await stored();
    const ask = (holder: string) =>
      fixture.catalog.leases.grant({ repository: 'depot', key: holder, holder, mode: 'exclusive', after: 0 });
    const fence = await ask('removal/first');
    await ask('retention/second');
    const before = await idsThere();
    await assert.rejects(remove(id, repository, 1, fence), { type: 'fenced' });
    assert.deepEqual(await idsThere(), before);
  });

  it('has it on the chain that the password of the repository was used, once', async () => {
    const id = await stored();
    await remove(id);
    const { items } = await fixture.catalog.audit.list({ subject: `point/${id}`, action: 'secret.used' });
    assert.deepEqual(
      items.map(({ details }) => details),
      [{ reference: `file:${join(room, 'password')}` }],
    );
  });
});
