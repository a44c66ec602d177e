import type { Refusal } from './written.ts';
import { assertRefused, policy, written } from './written.ts';

const repositories = (...urls: string[]) => {
  const items = urls.map(
    (url, index) => `  - { name: r${index}, type: restic, url: ${url}, password: env:K${index} }`,
  );
  return written({ repositories: ['repositories:', ...items].join('\n'), policies: '' });
};
const daily = (more: string) => policy(`every: 24h, repository: local, ${more}`);

function table(title: string, cases: [string, string, Refusal[]][]): void {
  describe(`refused: ${title}`, () => {
    for (const [name, text, refusals] of cases) it(name, () => assertRefused(text, ...refusals));
  });
}

table('the same twice, with the place of the first', [
  [
    'assets of one name',
    written({
      assets: `assets:
  - { name: orders, type: postgres, url: env:U }
  - { name: uploads, type: directory, path: /a }
  - name: §orders
    type: directory
    path: /b`,
    }),
    [
      {
        says: /another asset has this name \(the first is at 6:13\)/,
        path: 'assets[2].name',
        shows: '"orders"',
      },
    ],
  ],
  [
    'repositories of one name',
    repositories('./a', './b').replace('name: r1', 'name: §r0'),
    [{ says: /another repository has this name \(the first is at 3:13\)/ }],
  ],
  [
    'policies of one name',
    written({
      policies: `policies:
  - { name: p, assets: [orders], every: 1h, repository: local }
  - { name: §p, assets: [uploads], every: 1h, repository: local }`,
    }),
    [{ says: /another policy has this name \(the first is at 9:13\)/ }],
  ],
  [
    'a name renamed from that is still there',
    written({
      assets: `assets:
  - { name: orders, type: postgres, url: env:U }
  - { name: uploads, renamedFrom: §orders, type: directory, path: /a }`,
    }),
    [{ says: /still in use, so nothing was renamed from it \(the first is at 6:13\)/ }],
  ],
  [
    'two heirs of one name',
    written({
      policies: `policies:
  - { name: a, renamedFrom: old, assets: [orders], every: 1h, repository: local }
  - { name: b, renamedFrom: §old, assets: [uploads], every: 1h, repository: local }`,
    }),
    [{ says: /renamed from this name already.*\(the first is at 9:29\)/ }],
  ],
  [
    'one place, written alike',
    repositories('./a', '§./a'),
    [{ says: /place of another repository \(the first is at 3:36\)/ }],
  ],
  [
    'one folder, written in two ways',
    repositories('./a', '§local:/etc/holdfast/x/../a/'),
    [{ says: /place of another/ }],
  ],
  [
    'one bucket, with and without https',
    repositories('"s3:H.example.org/b"', '§"s3:https://h.example.org:443/b/"'),
    [{ says: /place of another/ }],
  ],
  [
    'a port for two parts',
    written({ head: 'version: 1\nports: { api: 8000, temporal: §8000 }' }),
    [{ says: /another part has this port \(the first is at 2:15\)/ }],
  ],
  [
    'an asset in one policy',
    policy('every: 1h, repository: local').replace('[orders, uploads]', '[orders, uploads, §orders]'),
    [{ says: /named twice/, shows: '"orders"' }],
  ],
  ['a copy', daily('copies: [offsite, §offsite]'), [{ says: /copy is named twice/ }]],
  [
    'a copy, written in two ways',
    daily('copies: [offsite, { repository: §offsite }]'),
    [{ says: /copy is named twice/ }],
  ],
]);

table('a copy that cannot keep what it says', [
  [
    'two cadences',
    daily('copies: [{ repository: offsite, every: 6h, §cron: "0 3 * * *" }]'),
    [{ says: /both every and cron/ }],
  ],
  [
    'less lag than from one run to the next',
    daily('copies: [{ repository: offsite, every: 6h, lag: §3h }]'),
    [{ says: /runs up to 6 h apart cannot keep a lag of 3 h/, fix: /copy more often/ }],
  ],
  [
    'less lag than from one cron run to the next',
    daily('copies: [{ repository: offsite, cron: "0 3 * * 1-5", lag: §1d }]'),
    [{ says: /cannot keep a lag/ }],
  ],
]);

table('names of nothing', [
  [
    'an asset',
    policy('every: 1h, repository: local').replace('[orders', '[§order'),
    [
      {
        says: /no asset has this name/,
        shows: '"order"',
        fix: /did you mean "orders"\? known here: orders, uploads/,
      },
    ],
  ],
  [
    'a repository',
    policy('every: 1h, repository: §lcoal'),
    [{ says: /no repository has this name/, fix: /did you mean "local"/, path: 'policies[0].repository' }],
  ],
  ['a copy', daily('copies: [§ofsite]'), [{ says: /no repository/, fix: /did you mean "offsite"/ }]],
  [
    'a copy in the long form',
    daily('copies: [{ repository: §moon }]'),
    [{ says: /no repository/, fix: /nearest known is "\w+"; known here: local, offsite/ }],
  ],
  [
    'of anything, where nothing is defined',
    'version: 1\npolicies: [ { name: p, assets: [§a], every: 1h, repository: §r } ]',
    [
      { says: /no asset/, fix: /define it under assets/ },
      { says: /no repository/, fix: /define it under repositories/ },
    ],
  ],
]);

table('policies that contradict themselves', [
  [
    'as much jitter as time between two runs',
    policy('every: 1h, jitter: §60m, repository: local'),
    [{ says: /until the next one is due/ }],
  ],
  [
    'both every and cron',
    policy('every: 1h, §cron: "0 3 * * *", repository: local'),
    [{ says: /both every and cron \(the first is at 9:43\)/ }],
  ],
  [
    'neither',
    written({ policies: 'policies:\n  - §{ name: p, assets: [orders], repository: local }' }),
    [{ says: /does not say when/, fix: /every: 24h/ }],
  ],
  [
    'no asset',
    policy('every: 1h, repository: local').replace('[orders, uploads]', '§[]'),
    [{ says: /protects nothing/ }],
  ],
  [
    'a copy in the repository itself',
    daily('copies: [§local]'),
    [{ says: /a copy in the repository itself is none/ }],
  ],
  ['the same in the long form', daily('copies: [{ repository: §local }]'), [{ says: /repository itself/ }]],
  ['a copy that is a number', daily('copies: [§7]'), [{ says: /expected a copy, found a number/ }]],
]);

table('retention that keeps nothing', [
  [
    'empty',
    daily('retention: §{}'),
    [{ says: /keeps nothing/, path: 'policies[0].retention', fix: /keepLast/ }],
  ],
  ['all zero', daily('retention: §{ keepLast: 0, keepDaily: 0 }'), [{ says: /keeps nothing/ }]],
  [
    'of a copy',
    daily('copies: [{ repository: offsite, retention: §{} }]'),
    [
      {
        says: /keeps nothing/,
        path: 'policies[0].copies[0].retention',
        fix: /leave retention out for the policy's own/,
      },
    ],
  ],
  [
    'of a copy, all zero, beside one that keeps something',
    daily('retention: { keepLast: 1 }, copies: [{ repository: offsite, retention: §{ keepYearly: 0 } }]'),
    [{ says: /keeps nothing/ }],
  ],
  [
    'of a copy, nothing after the colon',
    daily('copies: [{ repository: offsite, §retention: }]'),
    [{ says: /nothing is written/ }],
  ],
  [
    'no time at all, in another word',
    daily('retention: { keepWithinHourly: §0h }'),
    [{ says: /longer than 0/ }],
  ],
  ['nothing after the colon', daily('§retention:'), [{ says: /nothing is written/ }]],
  ['less than nothing', daily('retention: { keepLast: §-1 }'), [{ says: /less than nothing/ }]],
  ['no time at all', daily('retention: { keepWithin: §0d }'), [{ says: /longer than 0/ }]],
]);

table('several things at once: rules speak although the schema does', [
  [
    'an unknown key, an unknown repository and a wrong word',
    policy('every: 1h, repository: §locl, §prof: x, proof: §green'),
    [{ says: /no repository/ }, { says: /unknown key/ }, { says: /not known/ }],
  ],
]);
