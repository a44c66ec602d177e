import assert from 'node:assert/strict';
import { assertRefused, policy, read, repository, keepsNothing, written } from './written.ts';

const DAY = 86_400;
const kept = (retention: string) =>
  read(policy(`every: 24h, repository: local, retention: ${retention}`)).configuration.policies[0]?.retention;

const twoPolicies = (one: string, other: string) =>
  written({
    policies: `policies:
  - { name: one, assets: [orders, uploads], every: 24h, repository: local${one} }
  - { name: two, assets: [uploads], every: 1h, repository: local${other} }`,
  });

describe('presets of retention', () => {
  const cases: [string, object][] = [
    ['local', { keepLast: 3 }],
    ['remote', { keepWithinSeconds: 30 * DAY }],
    ['continuous', { keepWithinSeconds: DAY, keepDaily: 30 }],
    ['operator', { keepWithinSeconds: 90 * DAY }],
    ['compliance', { keepWithinSeconds: 365 * DAY }],
    ['gfs', { keepDaily: 7, keepWeekly: 5, keepMonthly: 12, keepYearly: 3 }],
  ];
  for (const [preset, words] of cases) {
    it(`${preset} stands for its words`, () =>
      assert.deepEqual(kept(`{ preset: ${preset} }`), { ...keepsNothing, ...words }));
  }

  it('words beside a preset go before its own and add to them', () =>
    assert.deepEqual(kept('{ preset: continuous, keepDaily: 7, keepYearly: 2 }'), {
      ...keepsNothing,
      keepWithinSeconds: DAY,
      keepDaily: 7,
      keepYearly: 2,
    }));

  it('an unknown one is refused with those there are', () =>
    assertRefused(policy('every: 24h, repository: local, retention: { preset: §gsf }'), {
      says: /not known/,
      fix: /gfs/,
    }));
});

describe('how much one run may drop', () => {
  it('is read as a part of the points', () =>
    assert.deepEqual(kept('{ keepLast: 3, maxDrop: 12.5% }'), {
      ...keepsNothing,
      keepLast: 3,
      maxDropShare: 0.125,
    }));
  for (const wrong of ['0%', '101%', '50', '"half"']) {
    it(`is not ${wrong}`, () =>
      assertRefused(policy(`every: 24h, repository: local, retention: { keepLast: 3, maxDrop: §${wrong} }`), {
        says: /percentage|text/,
      }));
  }
  it('keeps nothing by itself', () =>
    assertRefused(policy('every: 24h, repository: local, retention: §{ maxDrop: 50% }'), {
      says: /keeps nothing/,
    }));
});

describe('keepTags', () => {
  const refused = (tags: string, says: RegExp) =>
    assertRefused(policy(`every: 24h, repository: local, retention: { keepTags: ${tags} }`), { says });
  it('keeps by each of the tags, in whatever order they stand', () =>
    assert.deepEqual(kept('{ keepTags: [v2.1, release, v2.1], keepLast: 3 }'), {
      ...keepsNothing,
      keepLast: 3,
      keepTags: ['release', 'v2.1'],
    }));
  it('is enough by itself', () => assert.deepEqual(kept('{ keepTags: [release] }')?.keepTags, ['release']));
  it('takes no comma, which restic would cut at', () => refused('[§"release,v2"]', /a tag is 1 to 63/));
  it('takes no blank', () => refused('[§" release"]', /a tag is 1 to 63/));
  it('names one at least', () => refused('§[]', /no tag is named/));
  it('names no more than a point can have', () =>
    refused(`§[${Array.from({ length: 17 }, (_, index) => `t${index}`).join(', ')}]`, /more than 16 tags/));
  it('contradicts only other tags, not another order', () => {
    const one = ', retention: { keepTags: [a, b] }';
    assert.ok(read(twoPolicies(one, ', retention: { keepTags: [b, a] }')));
    assertRefused(twoPolicies(one, ', retention: §{ keepTags: [a, c] }'), { says: /kept otherwise/ });
  });
});

describe('an asset in two policies', () => {
  it('with two retentions in one repository is refused, with both places', () =>
    assertRefused(twoPolicies(', retention: { keepLast: 3 }', ', retention: §{ keepLast: 4 }'), {
      says: /uploads is kept otherwise in local by another policy \(the first is at \d+:\d+\)/,
      path: 'policies[1].retention',
    }));
  it('with a retention and none is refused', () =>
    assertRefused(
      twoPolicies(', retention: { keepLast: 3 }', '').replace('- { name: two', '- §{ name: two'),
      {
        says: /kept otherwise/,
      },
    ));
  it('with a copy that is kept otherwise than the other policy keeps its points there is refused', () =>
    assertRefused(
      twoPolicies(
        ', retention: { keepLast: 3 }, copies: [{ repository: offsite, retention: { keepLast: 9 } }]',
        ', retention: §{ keepLast: 3 }, copies: [offsite]',
      ),
      { says: /uploads is kept otherwise in offsite/ },
    ));
  it('with the same retention, in other words, is fine', () => {
    assert.ok(read(twoPolicies(', retention: { keepLast: 3 }', ', retention: { preset: local }')));
    assert.ok(
      read(twoPolicies(', retention: { preset: remote }', ', retention: { keepWithin: 30d, maxDrop: 9% }')),
    );
  });
});

describe('a store that does not let go', () => {
  const place = 'url: s3:https://s3.example.org/bucket, password: env:KEY';
  it('is known by its mode and days', () =>
    assert.deepEqual(
      read(repository(`${place}, immutability: { mode: compliance, days: 30 }`)).configuration.repositories[0]
        ?.immutability,
      { mode: 'compliance', days: 30 },
    ));
  it('locks for a day at least', () =>
    assertRefused(repository(`${place}, immutability: { mode: compliance, days: §0 }`), {
      says: /less than a day/,
    }));
});
