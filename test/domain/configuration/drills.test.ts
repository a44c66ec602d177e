import assert from 'node:assert/strict';
import { assertRefused, read, written } from './written.ts';

const drills = (...items: string[]) =>
  written({
    policies: `policies:
  - { name: daily, assets: [orders], every: 24h, repository: local, copies: [offsite] }
  - { name: near, assets: [uploads], every: 24h, repository: local }
drills:
${items.map((item) => `  - { ${item} }`).join('\n')}`,
  });
const one = (more: string) => drills(`name: q, policies: [daily], from: offsite${more}`);

describe('drills', () => {
  it('take the one of the design', () => {
    const text = one(
      ', select: latest, cron: "0 3 1 */3 *", scenario: siteLoss, objectives: { rto: 4h, rpo: 1h }, start: [./app], smoke: [{ command: [./smoke.sh] }, { http: "http://127.0.0.1:{port}/api/health" }]',
    );
    assert.deepEqual(read(text).configuration.drills, [
      {
        ...{ name: 'q', scenario: 'siteLoss', policies: ['daily'], assets: [], classes: [], from: 'offsite' },
        select: { rule: 'latest' },
        cadence: { kind: 'cron', expression: '0 3 1 */3 *' },
        objectives: { rtoSeconds: 14_400, rpoSeconds: 3600 },
        start: ['/etc/holdfast/app'],
        smoke: [
          { kind: 'command', command: ['/etc/holdfast/smoke.sh'] },
          { kind: 'http', url: 'http://127.0.0.1:{port}/api/health' },
        ],
        smokeSeconds: 300,
      },
    ]);
  });

  it('choose at random within a window, with a seed or one of each run', () => {
    const selectOf = (select: string) => read(one(`, select: ${select}`)).configuration.drills?.[0]?.select;
    assert.deepEqual(selectOf('random'), { rule: 'random', windowSeconds: 30 * 86_400, seed: null });
    assert.deepEqual(selectOf('{ random: { window: 7d, seed: audit } }'), {
      ...{ rule: 'random', windowSeconds: 7 * 86_400, seed: 'audit' },
    });
  });

  it('name who answers for them, and whether four eyes have to see their evidence', () => {
    const [drill] = read(one(', owner: "Anna, platform team", fourEyes: true')).configuration.drills ?? [];
    assert.deepEqual([drill?.owner, drill?.fourEyes], ['Anna, platform team', true]);
    assert.ok(!('owner' in (read(one('')).configuration.drills?.[0] ?? {})));
    assertRefused(one(', owner: §" "'), { says: /an owner is one line/ });
  });

  it('take a game day, with so long to notice it and to be back', () => {
    const text = one(
      ', gameDay: { takeDown: [[./wipe.sh, all]], watch: { http: "http://127.0.0.1:8080/" }, backWithin: 2m }',
    );
    assert.deepEqual(read(text).configuration.drills?.[0]?.gameDay, {
      takeDown: [['/etc/holdfast/wipe.sh', 'all']],
      watch: { kind: 'http', url: 'http://127.0.0.1:8080/' },
      ...{ noticeSeconds: 300, backSeconds: 120 },
    });
  });

  it('are not there where none is written, so that a document keeps its digest', () => {
    assert.ok(!('drills' in read(written()).configuration));
  });

  const alike = (more: string) =>
    written({
      assets: `assets:
  - { name: user-data, type: directory, path: /srv/a }
  - { name: user.data, type: directory, path: /srv/b }`,
      policies: `policies:
  - { name: daily, assets: [user-data, user.data], every: 24h, repository: local, copies: [offsite] }
drills:
  - ${more}`,
    });
  const alikeOne = '{ name: q, policies: [daily], from: offsite';

  it('may bring two assets back that a smoke test could not tell apart where none is asked', () => {
    assert.equal(read(alike(`${alikeOne} }`)).configuration.drills?.length, 1);
  });

  const refusals: [string, string, RegExp][] = [
    [
      'smoke tests that could not tell two assets apart',
      alike(`§${alikeOne}, smoke: [{ command: [./smoke.sh] }] }`),
      /told of user-data and user\.data by one name, HOLDFAST_DRILL_USER_DATA/,
    ],
    ['a game day that nothing watches', one(', gameDay: §{ takeDown: [[./wipe.sh]] }'), /watch/],
    [
      'a game day watched twice',
      one(', gameDay: { takeDown: [[./wipe.sh]], watch: §{ http: "http://127.0.0.1/", command: [./a] } }'),
      /either an http address or a command/,
    ],
    [
      'two of one name',
      drills('name: q, policies: [daily], from: offsite', 'name: §q, policies: [daily], from: offsite'),
      /another drill has this name/,
    ],
    [
      'a policy that is not there',
      drills('name: q, policies: [§daly], from: offsite'),
      /no policy has this name/,
    ],
    [
      'an asset that is not there',
      drills('name: q, assets: [§order], from: offsite'),
      /no asset has this name/,
    ],
    [
      'a repository that is not there',
      drills('name: q, policies: [daily], from: §offsit'),
      /no repository has this name/,
    ],
    [
      'a policy without that copy',
      drills('name: q, policies: [§near], from: offsite'),
      /the policy has no copy in offsite/,
    ],
    [
      'an asset without that copy',
      drills('name: q, assets: [§uploads], from: offsite'),
      /the asset has no copy in offsite/,
    ],
    [
      'one that brings nothing back',
      drills('§{ name: q, from: offsite').replace('{ §{', '§{'),
      /brings nothing back/,
    ],
    ['every and cron', one(', every: 1d, §cron: "0 3 * * *"'), /both every and cron/],
    [
      'an RPO of points chosen at random',
      one(', select: random, objectives: { §rpo: 1h }'),
      /says nothing of how much/,
    ],
    [
      'a question nobody answers',
      one(', smoke: [{ http: §"http://127.0.0.1:{port}/" }]'),
      /nothing is started/,
    ],
    [
      'a question to production',
      one(', start: [./a], smoke: [{ http: §"http://shop.example.org/" }]'),
      /not a URL of the clean room/,
    ],
  ];
  for (const [what, text, says] of refusals) {
    it(`refuse ${what}`, () => assertRefused(text, { says }));
  }
});
