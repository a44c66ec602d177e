import type { Refusal } from './written.ts';
import { asset, assertRefused, directory, policy, repository, written } from './written.ts';

const place = 'url: ./repo, password: env:KEY';

function table(title: string, cases: [string, string, Refusal][]): void {
  describe(`refused: ${title}`, () => {
    for (const [name, text, refusal] of cases) it(name, () => assertRefused(text, refusal));
  });
}

table('what is missing or of the wrong kind', [
  [
    'no version',
    written({ head: 'dataDir: .' }).replace(/^/, '§'),
    { says: /missing: the version/, path: 'version' },
  ],
  ['version 2', written({ head: 'version: §2' }), { says: /version 1 only/, shows: '2' }],
  [
    'no password',
    written({
      repositories:
        'repositories:\n  - §{ name: local, type: restic, url: ./repo }\n  - { name: offsite, type: restic, url: ./r2, password: env:X }',
    }),
    { says: /missing: a secret/, path: 'repositories[0].password' },
  ],
  [
    'nothing after the colon',
    written({ head: 'version: 1\n§temporal:' }),
    { says: /nothing is written/, path: 'temporal' },
  ],
  [
    'a text for a list',
    directory('exclude: §"*.tmp"'),
    { says: /expected a list of patterns, found a text/, fix: /\["\*\.tmp"\]/ },
  ],
  [
    'a number for a name',
    policy('every: 1h, repository: local').replace('name: p', 'name: §7'),
    { says: /expected a name, found a number/, fix: /quotes/ },
  ],
  [
    'an asset that is a text',
    written({ assets: 'assets: [§orders]', policies: '' }),
    { says: /expected an asset, found a text/ },
  ],
  [
    'a truth value for an address',
    written({ head: 'version: 1\ntemporal: { address: §true }' }),
    { says: /expected host and port/ },
  ],
]);

table('unknown keys, with the nearest known one', [
  [
    'at the top',
    written({ head: 'version: 1\n§datadir: x' }),
    { says: /unknown key/, fix: /^did you mean "dataDir"\?/, path: 'datadir' },
  ],
  [
    'a capability not built yet',
    written({ head: 'version: 1\n§recipes: []' }),
    { says: /unknown key/, fix: /nearest known is "\w+".*known here: version/ },
  ],
  ['sites', written({ head: 'version: 1\n§sites: []' }), { says: /unknown key/, fix: /nearest/ }],
  [
    'in a repository',
    repository(`${place}, §immutable: { days: 30 }`),
    { says: /unknown key/, fix: /known here: name, type/ },
  ],
  [
    'in limits',
    repository(`${place}, limits: { §weeklyUpload: 1GiB }`),
    { says: /unknown key/, fix: /"dailyUpload"/ },
  ],
  ['in a directory', directory('§excludes: []'), { says: /unknown key/, fix: /did you mean "exclude"\?/ }],
  ['of another type of asset', directory('§method: dump'), { says: /unknown key/ }],
  [
    'in a hook',
    directory('hooks: { §on-error: fail }'),
    { says: /unknown key/, fix: /did you mean "onError"\?/ },
  ],
  [
    'in a copy',
    policy('every: 1h, repository: local, copies: [{ repository: offsite, §evry: 24h }]'),
    { says: /unknown key/, path: 'policies[0].copies[0].evry', fix: /every/ },
  ],
  [
    'in retention',
    policy('every: 1h, repository: local, retention: { keepLast: 1, §keep_daily: 3 }'),
    { says: /unknown key/, fix: /did you mean "keepDaily"\?/ },
  ],
  [
    "in a copy's retention",
    policy(
      'every: 1h, repository: local, copies: [{ repository: offsite, retention: { §keepWithinHours: 3d } }]',
    ),
    {
      says: /unknown key/,
      path: 'policies[0].copies[0].retention.keepWithinHours',
      fix: /did you mean "keepWithinHourly"\?/,
    },
  ],
  [
    'named like what every object has',
    written({ head: 'version: 1\n§constructor: x' }),
    { says: /unknown key/ },
  ],
]);

table('words out of a few', [
  [
    'an asset type',
    asset('type: §mysql, path: x'),
    { says: /not known here/, fix: /"sqlite"; known here: postgres, sqlite, directory/, shows: '"mysql"' },
  ],
  [
    'no asset type',
    written({ assets: 'assets:\n  - §{ name: a, path: x }', policies: '' }),
    { says: /missing/, fix: /postgres, sqlite, directory/ },
  ],
  ['a method', asset('type: postgres, url: env:X, method: §continuous'), { says: /not known/, fix: /dump/ }],
  ['a class', directory('class: §critcal'), { says: /not known/, fix: /did you mean "critical"\?/ }],
  [
    'a proof',
    policy('every: 1h, repository: local, proof: §prooven'),
    { says: /not known/, fix: /did you mean "proven"\?/ },
  ],
  ['onError', directory('hooks: { onError: §ignore }'), { says: /not known/, fix: /fail, continue/ }],
]);

const names = [
  '-x',
  '--file=x',
  'Orders',
  'a b',
  'a/b',
  'a\\nb',
  '',
  'é',
  `${'a'.repeat(64)}`,
  '.hidden',
  '_x',
  "a'b",
];
table('names', [
  ...names.map((name): [string, string, Refusal] => [
    JSON.stringify(name),
    written({ assets: `assets:\n  - { name: §"${name}", type: directory, path: /a }`, policies: '' }),
    { says: /a name is 1 to 63 of/, path: 'assets[0].name' },
  ]),
]);

table('paths', [
  ['empty', asset('type: sqlite, path: §""'), { says: /empty/ }],
  ['an option', asset('type: sqlite, path: §-x'), { says: /starts with "-"/, fix: /\.\// }],
  ['a home', asset('type: directory, path: §~/x'), { says: /~ is not expanded/ }],
  ['a NUL', asset('type: directory, path: §"a\\0b"'), { says: /NUL/ }],
  ['an empty exclude', directory('exclude: [§""]'), { says: /pattern is empty/ }],
  [
    'an exclude restic does not take',
    directory('exclude: [§"[a"]'),
    { says: /restic does not take/, shows: '"[a"' },
  ],
]);

table('durations, rates, sizes, ports', [
  [
    'a duration without a unit',
    policy('every: §24, repository: local'),
    { says: /expected a duration, found a number/, fix: /write it like 24h/ },
  ],
  [
    'an unknown unit',
    policy('every: 1h, repository: local, objectives: { rpo: §1mo }'),
    { says: /not a duration/, shows: '"1mo"' },
  ],
  [
    'a share that is no percentage',
    policy('every: 1h, repository: local, objectives: { successRate: §0.99 }'),
    { says: /success rate/, fix: /99/ },
  ],
  [
    'a success rate that promises nothing',
    policy('every: 1h, repository: local, objectives: { successRate: §10% }'),
    { says: /from 50% to 100%/ },
  ],
  [
    'more than all of them',
    policy('every: 1h, repository: local, objectives: { successRate: §101% }'),
    { says: /from 50% to 100%/ },
  ],
  ['no time at all', policy('every: §0h, repository: local'), { says: /longer than 0/ }],
  [
    'minutes or months',
    policy('every: 1h, repository: local, retention: { keepWithin: §30m }'),
    { says: /months to restic/ },
  ],
  [
    "minutes or months, in a copy's retention",
    policy(
      'every: 1h, repository: local, copies: [{ repository: offsite, retention: { keepWithinMonthly: §6m } }]',
    ),
    { says: /months to restic/, shows: '"6m"' },
  ],
  [
    'a rate without /s',
    repository(`${place}, limits: { upload: §20MiB }`),
    { says: /not a rate/, shows: '"20MiB"' },
  ],
  ['a rate of nothing', repository(`${place}, limits: { upload: §0B/s }`), { says: /below 1 KiB/ }],
  ['a size', directory('expect: { minBytes: §10Q }'), { says: /not a size/ }],
  ['less than nothing', directory('expect: { minFiles: §-1 }'), { says: /less than nothing/ }],
  ['half a file', directory('expect: { minFiles: §1.5 }'), { says: /whole number/ }],
  ['port 0', written({ head: 'version: 1\nports: { api: §0 }' }), { says: /not a port/ }],
  [
    'port 65536',
    written({ head: 'version: 1\nports: { api: §65536 }' }),
    { says: /not a port/, shows: '65536' },
  ],
  [
    'an address',
    written({ head: 'version: 1\ntemporal: { address: §temporal }' }),
    { says: /not host and port/ },
  ],
  [
    'an address that is an option',
    written({ head: 'version: 1\ntemporal: { address: §"-x:7233" }' }),
    { says: /not host and port/ },
  ],
]);

table('when things may run', [
  [
    'a window that never opens',
    policy('every: 1h, repository: local, window: §{ from: "03:00", to: "03:00" }'),
    { says: /never opens/ },
  ],
  [
    'a window without days',
    policy('every: 1h, repository: local, window: { from: "03:00", to: "04:00", days: §[] }'),
    { says: /never opens/ },
  ],
  [
    'no time of day',
    policy('every: 1h, repository: local, window: { from: §"24:00", to: "04:00" }'),
    { says: /not a time of day/ },
  ],
  [
    'a catch-up shorter than Temporal looks back',
    policy('every: 1h, repository: local, catchUp: §5s'),
    { says: /10 s/ },
  ],
  [
    'an overlap that is none',
    policy('every: 1h, repository: local, overlap: §allow'),
    { says: /not known here/ },
  ],
]);

table('cron', [
  ['a day that never comes', policy('cron: §"0 0 30 2 *", repository: local'), { says: /never comes/ }],
  ['out of range', policy('cron: §"61 * * * *", repository: local'), { says: /out of its range/ }],
  ['six fields', policy('cron: §"0 0 3 * * *", repository: local'), { says: /five fields, this has 6/ }],
  ['words', policy('cron: §"every day", repository: local'), { says: /five fields, this has 2/ }],
  ['an unknown nickname', policy('cron: §"@reboot", repository: local'), { says: /nickname/ }],
  ['what Temporal does not know', policy('cron: §"0 3 L * *", repository: local'), { says: /sign/ }],
  ['both days', policy('cron: §"0 3 1 * MON", repository: local'), { says: /either/ }],
]);

table('commands', [
  [
    'one text',
    directory('hooks: { before: [§"systemctl stop x"] }'),
    { says: /list of words: no shell/, fix: /\[sh, -c/, shows: null },
  ],
  [
    'a list of words where commands belong',
    directory('hooks: { before: [§stop] }'),
    { says: /list of words/ },
  ],
  ['no word', directory('restore: { stop: [§[]] }'), { says: /names no program/ }],
  ['an option first', directory('restore: { start: [§[--now, x]] }'), { says: /names no program/ }],
  [
    'a number',
    directory('restore: { start: [[chmod, §0755, x]] }'),
    { says: /expected a word, found a number/, fix: /quotes/ },
  ],
]);

table('health checks', [
  ['none', directory('restore: { health: [§{}] }'), { says: /exactly one of command, http/ }],
  [
    'two in one',
    directory('restore: { health: [§{ http: "http://a", command: [x] }] }'),
    { says: /exactly one of/ },
  ],
  ['SQL on a directory', directory('restore: { health: [{ §sql: select 1 }] }'), { says: /unknown key/ }],
  [
    'a page that is none',
    directory('restore: { health: [{ http: §"ftp://a" }] }'),
    { says: /not a URL/, shows: '"ftp://a"' },
  ],
  [
    'an empty query',
    asset('type: postgres, url: env:X, checks: [{ sql: §" " }]'),
    { says: /query is empty/ },
  ],
]);
