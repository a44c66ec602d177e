import assert from 'node:assert/strict';
import { partsOf } from './parts.ts';
import { createServices } from '../../api/wiring/services.ts';
import type { Services } from '../../api/services.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { workflowState } from '../../client/index.ts';
import type { Client } from '@temporalio/client';
import { aConfiguration, aCopy, aPoint, withCatalog } from '../catalog/fixture.ts';
import { timeSkippingServer } from '../workflows/time-skipping.ts';

const DAY = 86_400;

// No worker polls: a workflow that was started stays as it is.

describe('the verification of a policy, asked for and seen', function () {
  this.timeout(180_000);
  const fixture = withCatalog();
  const actor = { name: 'ann', role: 'admin' } as const;
  const ago = (days: number) => new Date(Date.now() - days * DAY * 1000).toISOString();
  let temporal: Client;
  let services: Services;

  before(async () => {
    temporal = (await timeSkippingServer()).client;
    services = createServices(partsOf(fixture.catalog, temporal));
    await fixture.catalog.configurations.apply(configured());
    await fixture.catalog.repositories.markInitialised('local', ago(40));
    await fixture.catalog.repositories.markInitialised('offsite', ago(40));
    await fixture.catalog.points.record(
      aPoint({ takenAt: ago(40), copies: [aCopy('local', ago(40))] }),
      null,
    );
  });

  function configured(rehearseSeconds: number | null = null): Configuration {
    const plain = aConfiguration();
    const verification = {
      cadence: { kind: 'every' as const, seconds: DAY },
      readShare: 0.5,
      withinSeconds: 30 * DAY,
      rehearseSeconds,
    };
    return { ...plain, policies: plain.policies.map((policy) => ({ ...policy, verification })) };
  }
  const read = (group: number, days: number) =>
    fixture.catalog.readings.record({
      ...{ repository: 'local', groups: 2, group, readAt: ago(days), ok: true, jobId: null },
    });
  const placeNamed = async (name: string) =>
    (await services.status()).repositories.find((one) => one.name === name);

  it('shows since when something was not read, and warns when it is too long', async () => {
    const before = await placeNamed('local');
    assert.equal(before?.health, 'warning');
    assert.match(
      before?.reason ?? '',
      /was not read back since .*, for 40 d; its policies ask for every 30 d/,
    );
    await read(1, 3);
    await read(2, 12);
    const after = await placeNamed('local');
    assert.equal(after?.health, 'ok');
    assert.equal(after?.oldestUnread?.limitSeconds, 30 * DAY);
    assert.ok(Math.abs((after?.oldestUnread?.seconds ?? 0) - 12 * DAY) < 60);
    assert.equal((await placeNamed('offsite'))?.oldestUnread, null, 'nothing is stored there');
  });

  it('plans without changing anything', async () => {
    await read(1, 3);
    await read(2, 31);
    const before = await fixture.sql('select count(*) from audit_events');
    const plan = await services.planVerification('critical');
    assert.deepEqual(
      plan.repositories.map(({ repository, due }) => [
        repository,
        due.map(({ group, reason }) => [group, reason]),
      ]),
      [
        ['local', [[2, 'late']]],
        ['offsite', []],
      ],
    );
    assert.deepEqual(plan.rehearsals, []);
    assert.deepEqual(await fixture.sql('select count(*) from audit_events'), before);
  });

  it('plans a rehearsal when the next run would come too late for it', async () => {
    await fixture.catalog.configurations.apply(configured(7 * DAY));
    const { id } = (await fixture.catalog.points.list({ asset: 'orders', limit: 1 })).items[0]!;
    const dueAfter = async (days: number) => {
      await fixture.sql('update sync_state set proven_at = $1', [ago(days)]);
      const { rehearsals } = await services.planVerification('critical');
      return rehearsals.map(({ asset }) => asset);
    };
    assert.ok(id);
    assert.deepEqual(await dueAfter(5.9), ['uploads'], 'which was never proven');
    assert.deepEqual(await dueAfter(6.1), ['orders', 'uploads']);
  });

  it('starts what is due as a run of the cadence, and refuses a policy without one', async () => {
    const request = { policy: 'critical', all: true, point: null, due: true };
    const { answer: job } = await services.startVerification(actor, request, null);
    assert.equal(job.type, 'verify');
    assert.match(job.workflowId, /^verify-due\/critical-/);
    assert.equal(await workflowState(temporal, job.workflowId), 'running');
    const { type } = await temporal.workflow.getHandle(job.workflowId).describe();
    assert.equal(type, 'verifyCadence');
    await temporal.workflow.getHandle(job.workflowId).terminate();
    await fixture.catalog.configurations.apply(aConfiguration());
    await assert.rejects(services.startVerification(actor, request, null), { code: 'usage' });
    await assert.rejects(services.planVerification('critical'), { code: 'usage' });
  });
});
