import assert from 'node:assert/strict';
import { estimateFrom } from '../../catalog/durations.ts';
import { withCatalog } from './fixture.ts';

describe('idempotency keys', () => {
  const fixture = withCatalog();

  it('answer the same request with the first result and refuse another', async () => {
    const { idempotency } = fixture.catalog;
    assert.equal(await idempotency.find('key', 'digest'), null);
    const results = await Promise.all(
      ['1', '2', '3'].map((id) => idempotency.claim('key', 'digest', { kind: 'job', id })),
    );
    assert.equal(new Set(results.map((result) => result.id)).size, 1);
    assert.deepEqual(await idempotency.find('key', 'digest'), results[0]);
    await assert.rejects(idempotency.find('key', 'other'), { code: 'request.conflict' });
    await assert.rejects(idempotency.claim('key', 'other', { kind: 'job', id: '4' }), {
      code: 'request.conflict',
    });
  });
});

describe('tokens', () => {
  const fixture = withCatalog();

  it('are known by their hash only, until they are revoked', async () => {
    const { tokens } = fixture.catalog;
    const { token, entry } = await tokens.create('anna', 'operator');
    assert.deepEqual([entry.name, entry.role, entry.revokedAt], ['anna', 'operator', null]);
    assert.deepEqual(await tokens.authenticate(token), entry);
    assert.equal(await tokens.authenticate(`${token}x`), null);
    const kept = JSON.stringify([
      await fixture.sql('select * from api_tokens'),
      await fixture.sql('select * from audit_events'),
    ]);
    assert.ok(!kept.includes(token));
    await assert.rejects(tokens.create('anna', 'viewer'), { code: 'request.conflict' });
    await tokens.revoke('anna');
    await tokens.revoke('anna');
    assert.equal(await tokens.authenticate(token), null);
    await assert.rejects(tokens.install('anna', 'operator', token), { code: 'request.conflict' });
    await tokens.create('anna', 'viewer');
    await assert.rejects(tokens.revoke('nobody'), { code: 'notFound' });
    const actions = (await fixture.catalog.audit.list({ subject: 'token/anna' })).items.map(
      ({ action }) => action,
    );
    assert.deepEqual(actions.reverse(), ['token.created', 'token.revoked', 'token.created']);
  });

  it('can be installed, again and anew', async () => {
    const { tokens } = fixture.catalog;
    const first = await tokens.install('up', 'admin', 'first-token');
    assert.deepEqual(await tokens.install('up', 'admin', 'first-token'), first);
    await tokens.install('up', 'admin', 'second-token');
    assert.equal(await tokens.authenticate('first-token'), null);
    assert.equal((await tokens.authenticate('second-token'))?.role, 'admin');
  });
});

describe('the state of repositories', () => {
  const fixture = withCatalog();

  it('is kept from the first sight on, and damage adds up until it is repaired', async () => {
    const { repositories, audit } = fixture.catalog;
    const at = '2026-11-20T03:00:00.000Z';
    assert.equal(await repositories.find('local'), null);
    await repositories.markInitialised('local', at);
    await repositories.markInitialised('local', '2026-11-21T03:00:00.000Z');
    await repositories.markDamaged(
      'local',
      { snapshots: ['b'], packs: ['p'], errors: ['pack p: wrong hash'] },
      at,
    );
    await repositories.markDamaged('local', { snapshots: ['a'], packs: ['p'], errors: [] }, at);
    await repositories.markDamaged('local', { snapshots: ['a'], packs: ['p'], errors: [] }, at);
    assert.deepEqual(await repositories.find('local'), {
      name: 'local',
      type: '',
      initialisedAt: at,
      needsRepair: true,
      damage: { snapshots: ['a', 'b'], packs: ['p'], errors: ['pack p: wrong hash'], seenAt: at },
      repairedAt: null,
      orphaned: true,
    });
    await repositories.markRepaired('local', at);
    await repositories.markRepaired('local', at);
    const repaired = await repositories.find('local');
    assert.deepEqual([repaired?.needsRepair, repaired?.damage, repaired?.repairedAt], [false, null, at]);
    const { items } = await audit.list({ subject: 'repository/local' });
    assert.deepEqual(items.map(({ action }) => action).reverse(), [
      'repository.initialised',
      'repository.damaged',
      'repository.damaged',
      'repository.repaired',
    ]);
  });
});

describe('measured durations', () => {
  const fixture = withCatalog();

  it('estimate by the median rate of the last runs', () => {
    const runs = [10, 20, 600].map((seconds) => ({ seconds, bytes: 100 }));
    assert.deepEqual(estimateFrom(runs, 200), { seconds: 40, samples: 3, lastSeconds: 10 });
    assert.deepEqual(estimateFrom([{ seconds: 3, bytes: 0 }], 200), {
      seconds: 3,
      samples: 1,
      lastSeconds: 3,
    });
    assert.equal(estimateFrom([], 200), null);
  });

  it('are kept once per run and step', async () => {
    const { durations } = fixture.catalog;
    const measured = {
      run: 'r-1',
      asset: 'orders',
      step: 'restore' as const,
      bytes: 100,
      endedAt: '2026-11-20T03:00:00.000Z',
    };
    await durations.record({ ...measured, seconds: 5 });
    await durations.record({ ...measured, seconds: 8 });
    assert.deepEqual(await durations.estimate('orders', 'restore', 100), {
      seconds: 8,
      samples: 1,
      lastSeconds: 8,
    });
    assert.equal(await durations.estimate('orders', 'copy', 100), null);
  });
});
