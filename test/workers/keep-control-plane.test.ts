import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { keepControlPlane } from '../../workers/keep-control-plane.ts';
import { aConfiguration, withCatalog } from '../catalog/fixture.ts';

describe('keeping the control plane stored', () => {
  const fixture = withCatalog();
  const now = new Date();
  const names = ['local', 'offsite', 'third'];
  let started: string[];

  const look = async () => {
    started = [];
    await keepControlPlane(fixture.catalog, async ({ repository }) => void started.push(repository), now);
    return started;
  };
  const apply = (controlPlane: { everySeconds: number; repositories: string[] | null }) =>
    fixture.catalog.configurations.apply(aConfiguration({ controlPlane }));
  const begin = (repository: string) =>
    fixture.catalog.jobs.begin({
      ...{ id: randomUUID(), workflowId: `control-plane/${randomUUID()}`, type: 'controlPlane', repository },
      ...{ policy: null, trigger: 'schedule', startedAt: now.toISOString(), assets: ['holdfast'] },
    });

  before(async () => {
    assert.deepEqual(await look(), [], 'nothing is applied yet');
    await apply({ everySeconds: 3600, repositories: names });
    for (const name of names) await fixture.catalog.repositories.markInitialised(name, now.toISOString());
  });
  beforeEach(() => fixture.sql('truncate jobs cascade'));

  it('starts it where it is due, two at a time at the most, so that backups keep their places', async () => {
    assert.deepEqual(await look(), ['local', 'offsite']);
  });

  it('leaves alone what goes on, and counts it', async () => {
    await begin('local');
    assert.deepEqual(await look(), ['offsite']);
    await begin('offsite');
    assert.deepEqual(await look(), []);
  });

  it('lets the others come first after a failure, and waits before it tries again', async () => {
    const { id } = await begin('local');
    const error = { code: 'repository.unreachable', message: 'away', cause: 'away', hint: 'wait' };
    await fixture.catalog.jobs.end(id, { status: 'failed', error, endedAt: now.toISOString() });
    assert.deepEqual(await look(), ['offsite', 'third']);
  });

  it('refuses a second one beside one that goes on there', async () => {
    await begin('local');
    await assert.rejects(begin('local'), {
      code: 'request.conflict',
      message: /controlPlane to local is running/,
    });
  });

  it('stores it nowhere when that is what was said', async () => {
    await apply({ everySeconds: 3600, repositories: [] });
    assert.deepEqual(await look(), []);
  });
});
