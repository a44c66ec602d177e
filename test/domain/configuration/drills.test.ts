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

  it('are not there where none is written, so that a document keeps its digest', () => {
    assert.ok(!('drills' in read(written()).configuration));
  });

  const refusals: [string, string, RegExp][] = [
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
