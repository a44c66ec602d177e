import assert from 'node:assert/strict';
import { aConfiguration, withCatalog } from './fixture.ts';

describe('configurations in the catalogue', () => {
  const fixture = withCatalog();
  const whole = aConfiguration();
  const nothing = { added: [], changed: [], removed: [] };

  it('says what applying would do, without doing it', async () => {
    const { configurations } = fixture.catalog;
    const difference = await configurations.compare(whole);
    assert.equal(difference.changed, true);
    assert.deepEqual(difference.assets, { ...nothing, added: ['orders', 'uploads'] });
    assert.equal(await configurations.current(), null);
  });

  it('applies a document once', async () => {
    const { configurations, audit, repositories } = fixture.catalog;
    await Promise.all(Array.from({ length: 6 }, () => configurations.compare(whole)));
    const all = await Promise.all(Array.from({ length: 6 }, () => configurations.apply(whole)));
    assert.equal(all.filter(({ changed }) => changed).length, 1);
    assert.deepEqual((await configurations.apply(whole)).assets, nothing);
    const current = await configurations.current();
    assert.deepEqual(current?.configuration, whole);
    assert.equal(current?.appliedBy, 'test');
    assert.equal((await audit.list({ action: 'configuration.applied' })).items.length, 1);
    assert.deepEqual(
      (await repositories.list()).map(({ name, orphaned }) => [name, orphaned]),
      [
        ['local', false],
        ['offsite', false],
      ],
    );
  });

  it('keeps one row per change of a policy, the current one marked', async () => {
    const { configurations } = fixture.catalog;
    const [policy] = whole.policies;
    assert.ok(policy);
    const changed = { ...whole, policies: [{ ...policy, proof: 'proven' as const }] };
    assert.deepEqual((await configurations.apply(changed)).policies, { ...nothing, changed: ['critical'] });
    const versions = () =>
      fixture.sql(`select version, definition->>'proof' as proof, is_current from policies order by version`);
    assert.deepEqual(await versions(), [
      { version: 1, proof: 'verified', is_current: false },
      { version: 2, proof: 'proven', is_current: true },
    ]);
    await configurations.apply(whole);
    assert.deepEqual(
      (await versions()).map((row) => row['is_current']),
      [false, false, true],
    );
  });

  it('keeps what left as orphaned and welcomes it back', async () => {
    const { configurations, repositories } = fixture.catalog;
    const smaller = {
      ...whole,
      assets: whole.assets.slice(0, 1),
      repositories: whole.repositories.slice(0, 1),
      policies: [],
    };
    const difference = await configurations.apply(smaller);
    assert.deepEqual(
      [difference.assets, difference.policies, difference.repositories],
      [
        { ...nothing, removed: ['uploads'] },
        { ...nothing, removed: ['critical'] },
        { ...nothing, removed: ['offsite'] },
      ],
    );
    assert.equal((await repositories.find('offsite'))?.orphaned, true);
    assert.deepEqual((await configurations.apply(whole)).assets, { ...nothing, added: ['uploads'] });
    assert.equal((await repositories.find('offsite'))?.orphaned, false);
    const kept = await fixture.sql('select name from assets where orphaned_at is null order by name');
    assert.deepEqual(kept, [{ name: 'orders' }, { name: 'uploads' }]);
  });

  it('fills in what a document of an earlier version did not know', async () => {
    const { configurations } = fixture.catalog;
    const { digest } = await configurations.apply(whole);
    await fixture.sql(
      `update configurations set document = jsonb_set(document, '{policies,0}', (document #> '{policies,0}') - 'timing')
        where digest = $1`,
      [digest],
    );
    assert.deepEqual((await configurations.current())?.configuration, whole);
    assert.deepEqual((await configurations.find(digest)).configuration, whole);
  });
});
