import assert from 'node:assert/strict';
import type { Client } from '@temporalio/client';
import type { Services } from '../../api/services.ts';
import { partsOf } from './parts.ts';
import { createServices } from '../../api/wiring/services.ts';
import { workflowState } from '../../client/index.ts';
import { forgetExpiredKeys } from '../../workers/forget-keys.ts';
import { aConfiguration, withCatalog } from '../catalog/fixture.ts';
import { timeSkippingServer } from '../workflows/time-skipping.ts';

// No worker polls: a workflow that was started stays as it is.

describe('one idempotency key', function () {
  this.timeout(180_000);
  const fixture = withCatalog();
  const actor = { name: 'ann', role: 'admin' } as const;
  const DAY = 86_400_000;
  let temporal: Client;
  let services: Services;
  let keys = 0;
  before(async () => {
    temporal = (await timeSkippingServer()).client;
    services = createServices(partsOf(fixture.catalog, temporal));
    await fixture.catalog.configurations.apply({
      ...aConfiguration(),
      idempotency: { keepSeconds: 7 * 86_400 },
    });
  });
  afterEach(async () => {
    const { items } = await fixture.catalog.jobs.list({ status: ['running', 'waiting'] });
    for (const { id, workflowId } of items) {
      await fixture.catalog.jobs.end(id, { status: 'cancelled' });
      await temporal.workflow.getHandle(workflowId).terminate();
    }
  });
  const newKey = () => ({ key: `key-${(keys += 1)}`, request: 'the same' });
  const backUp = (key = newKey()) => services.startBackup(actor, { policy: 'critical', assets: [] }, key);
  const request = { asset: 'orders', point: null, time: null, include: [], to: null, from: null };
  const prepare = (key = newKey()) => services.prepareRestore(actor, request, key);
  const eightTimes = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: 8 }, work));
  const forget = (days: number) => forgetExpiredKeys(fixture.catalog, new Date(Date.now() + days * DAY));

  it('asked with eight times at once is one job, whatever the order of the answers', async () => {
    for (let round = 0; round < 5; round += 1) {
      const key = newKey();
      const answers = await eightTimes(() => backUp(key));
      assert.equal(new Set(answers.map(({ answer }) => answer.id)).size, 1);
      assert.equal(answers.filter(({ repeated }) => !repeated).length, 1);
      const [{ answer }] = answers as [(typeof answers)[0]];
      assert.equal(await workflowState(temporal, answer.workflowId), 'running');
      await fixture.catalog.jobs.end(answer.id, { status: 'cancelled' });
      await temporal.workflow.getHandle(answer.workflowId).terminate();
    }
  });

  it('begins a job whose tags its workflow gets, also from a request that repeats it', async () => {
    const key = newKey();
    const tagged = () =>
      services.startBackup(actor, { policy: 'critical', assets: [], tags: ['release', 'v2.1'] }, key);
    const { answer } = await tagged();
    assert.deepEqual(answer.tags, ['release', 'v2.1']);
    assert.deepEqual((await tagged()).answer.tags, ['release', 'v2.1']);
    const { events } = await temporal.workflow.getHandle(answer.workflowId).fetchHistory();
    const [given] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const input = JSON.parse(Buffer.from(given?.data ?? []).toString()) as { tags: string[] };
    assert.deepEqual(input.tags, ['release', 'v2.1']);
    const [begun] = (await fixture.catalog.audit.list({ limit: 10 })).items.filter(
      ({ action, subject }) => action === 'job.begun' && subject === `job/${answer.id}`,
    );
    assert.deepEqual((begun?.details as { tags: string[] }).tags, ['release', 'v2.1']);
  });

  it('asked with eight times at once is one restore', async () => {
    const key = newKey();
    const answers = await eightTimes(() => prepare(key));
    assert.equal(new Set(answers.map(({ answer }) => answer.id)).size, 1);
    assert.equal(answers.filter(({ repeated }) => !repeated).length, 1);
    const again = await prepare(key);
    assert.deepEqual([again.answer.id, again.repeated], [answers[0]?.answer.id, true]);
  });

  it('with two different requests at once begins only one of them', async () => {
    const { key } = newKey();
    const one = services.prepareRestore(actor, request, { key, request: 'one' });
    const other = services.prepareRestore(actor, { ...request, asset: 'uploads' }, { key, request: 'other' });
    const ended = await Promise.allSettled([one, other]);
    const refused = ended.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
    assert.equal(refused.length, 1);
    assert.equal(refused[0].code, 'request.conflict');
    const begun = ended.flatMap((result) => (result.status === 'fulfilled' ? [result.value.answer] : []));
    const { items } = await services.listRestores({ asset: null }, { limit: 1, cursor: null });
    assert.equal(items[0]?.id, begun[0]?.id, 'the refused request left a restore behind');
  });

  it('answers for its job until the stated time after the end, and is then free', async () => {
    const key = newKey();
    const { answer } = await backUp(key);
    await forget(400);
    assert.equal((await backUp(key)).answer.id, answer.id, 'forgotten while the job runs');
    await fixture.catalog.jobs.end(answer.id, { status: 'cancelled' });
    await temporal.workflow.getHandle(answer.workflowId).terminate();
    await forget(6.9);
    assert.equal((await backUp(key)).answer.id, answer.id, 'forgotten too early');
    await forget(7.1);
    const next = await backUp(key);
    assert.notEqual(next.answer.id, answer.id);
    assert.equal(next.repeated, false);
    const [event] = (await fixture.catalog.audit.list({ limit: 10 })).items.filter(
      ({ action }) => action === 'idempotency.forgotten',
    );
    assert.ok(event, 'it is not on the audit chain');
  });

  it('answers for its restore until the stated time after the end, and then prepares another', async () => {
    const key = newKey();
    const { answer } = await prepare(key);
    await forget(400);
    assert.equal((await prepare(key)).answer.id, answer.id, 'forgotten while it is open');
    await fixture.catalog.restores.update(answer.id, { status: 'cancelled' });
    await forget(8);
    assert.notEqual((await prepare(key)).answer.id, answer.id);
  });

  it('that an earlier version kept for a restore goes on answering for it', async () => {
    const key = newKey();
    const old = await fixture.catalog.restores.create({
      requestId: key.key,
      asset: 'orders',
      point: 'latest',
      target: 'in place',
      include: [],
    });
    await fixture.catalog.idempotency.claim(key.key, key.request, { kind: 'restore', id: old.id });
    const { answer, repeated } = await prepare(key);
    assert.deepEqual([answer.id, repeated], [old.id, true]);
  });
});
