import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { withCatalog } from './fixture.ts';

describe('restores in the catalogue', () => {
  const fixture = withCatalog();
  const request = () => ({
    requestId: randomUUID(),
    asset: 'uploads',
    point: randomUUID(),
    target: '/srv/uploads',
    include: ['a b', '-x'],
  });

  it('numbers them in order, and the same request once', async () => {
    const { restores } = fixture.catalog;
    const one = request();
    const first = await restores.create(one);
    const again = await Promise.all([restores.create(one), restores.create(one)]);
    const second = await restores.create(request());
    assert.deepEqual([first.id, again[0]?.id, again[1]?.id, second.id], ['r-1', 'r-1', 'r-1', 'r-2']);
    assert.deepEqual([first.status, first.include], ['preparing', ['a b', '-x']]);
    const page = await restores.list({ limit: 1 });
    assert.deepEqual(page.items, [second]);
    assert.deepEqual(
      (await restores.list({ limit: 1, cursor: page.next })).items.map(({ id }) => id),
      ['r-1'],
    );
  });

  it('goes from preparing to completed, each step on the chain', async () => {
    const { restores, audit } = fixture.catalog;
    const { id } = await restores.create(request());
    await restores.update(id, { estimateSeconds: 12.5, validation: { ok: true, checks: [] } });
    for (const status of ['prepared', 'committing', 'checking', 'completed'] as const) {
      await restores.update(id, { status });
      await restores.update(id, { status });
    }
    const restore = await restores.find(id);
    assert.deepEqual([restore.status, restore.estimateSeconds], ['completed', 12.5]);
    assert.notEqual(restore.endedAt, null);
    const { items } = await audit.list({ subject: `restore/${id}` });
    assert.deepEqual(items.map((event) => event.action).reverse(), [
      'restore.preparing',
      'restore.prepared',
      'restore.committing',
      'restore.checking',
      'restore.completed',
    ]);
  });

  it('has on the chain that another copy was taken, and nothing of the first', async () => {
    const { restores, audit } = fixture.catalog;
    const { id } = await restores.create(request());
    for (const repository of ['near', 'near', 'offsite']) await restores.update(id, { repository });
    const { items } = await audit.list({ subject: `restore/${id}` });
    const [newest, ...others] = items;
    assert.deepEqual([newest?.action, others.length], ['restore.otherCopy', 1]);
    const { repository, insteadOf } = newest?.details as Record<string, unknown>;
    assert.deepEqual([repository, insteadOf], ['offsite', 'near']);
  });

  it('never changes what has ended, and knows no way around the order', async () => {
    const { restores } = fixture.catalog;
    const { id } = await restores.create(request());
    await assert.rejects(restores.update(id, { status: 'committing' }), { code: 'restore.state' });
    const ended = await restores.update(id, { status: 'cancelled' });
    await assert.rejects(restores.update(id, { status: 'committing' }), { code: 'restore.state' });
    await assert.rejects(restores.update(id, { status: 'failed' }), { code: 'restore.state' });
    assert.deepEqual(await restores.update(id, { measuredSeconds: 5 }), ended);
  });

  it('is not cancelled once it commits, though both are asked at once', async () => {
    const { restores } = fixture.catalog;
    for (let round = 0; round < 5; round += 1) {
      const { id } = await restores.create(request());
      await restores.update(id, { status: 'prepared' });
      const outcomes = await Promise.allSettled(
        (['committing', 'cancelled', 'expired', 'failed'] as const).map((status) =>
          restores.update(id, { status }),
        ),
      );
      const last = (await restores.find(id)).status;
      const reached = outcomes
        .filter((outcome) => outcome.status === 'fulfilled')
        .map(({ value }) => value.status);
      assert.ok(
        reached.length === 1 || (reached.length === 2 && reached[0] === 'committing' && last === 'failed'),
      );
      assert.ok(reached.includes(last));
    }
  });

  it('says when there is none', async () => {
    for (const id of ['r-999', 'r-', '7', 'r-1;', 'R-1']) {
      await assert.rejects(fixture.catalog.restores.find(id), { code: 'notFound' }, id);
    }
  });
});
