import assert from 'node:assert/strict';
import { guardWords } from '../../../domain/guards/guard-words.ts';
import { assertRefused, read, repository, written, type Refusal } from './written.ts';

const local = (more: string) => repository(`url: ./repo, password: env:KEY, ${more}`);
const remote = (more: string) => repository(`url: "s3:https://h/b", password: env:KEY, ${more}`);
const guardsOf = (text: string) => {
  const [first] = read(text).configuration.repositories;
  return { ...first?.limits, headroom: first?.headroom };
};

describe('the guards of a configuration', () => {
  it('hold a way out of this host to 50 MiB/s, and watch a disk of ours', () => {
    assert.deepEqual(guardsOf(local('')), {
      uploadBytesPerSecond: null,
      dailyUpload: null,
      headroom: { highPercent: 95, lowPercent: 90, capacityBytes: null },
    });
    assert.deepEqual(guardsOf(remote('')), {
      uploadBytesPerSecond: 50 * 1024 * 1024,
      dailyUpload: null,
      headroom: null,
    });
  });

  it('are what was written', () => {
    const limits = 'limits: { upload: unlimited, dailyUpload: 500GiB, dailyReset: "02:30" }';
    const marks = 'headroom: { highWatermark: 85%, lowWatermark: 70%, capacity: 1TiB }';
    assert.deepEqual(guardsOf(remote(`${limits}, ${marks}`)), {
      uploadBytesPerSecond: null,
      dailyUpload: { bytes: 500 * 2 ** 30, resetSeconds: 9000 },
      headroom: { highPercent: 85, lowPercent: 70, capacityBytes: 2 ** 40 },
    });
    assert.deepEqual(guardsOf(local('limits: { dailyUpload: 32MiB, dailyReset: 02:00 }')).dailyUpload, {
      bytes: 32 * 2 ** 20,
      resetSeconds: 7200,
    });
  });

  it('are told in a sentence, also those that nobody wrote', () => {
    const words = (text: string) => read(text).configuration.repositories.map(guardWords);
    assert.deepEqual(words(written()), [
      'local: uploads without limit; full at 95 %, open again below 90 %',
      'offsite: uploads at most 50 MiB/s',
    ]);
    assert.deepEqual(words(remote('limits: { dailyUpload: 500GiB, dailyReset: "02:30" }')), [
      'local: uploads at most 50 MiB/s, 500 GiB a day from 02:30 UTC',
    ]);
  });

  it('put the low mark below a high one that is low itself', () => {
    assert.equal(guardsOf(local('headroom: { highWatermark: 60% }')).headroom?.lowPercent, 55);
  });

  it('keep idempotency keys for 30 days, or for as long as is said', () => {
    assert.deepEqual(read(written()).configuration.idempotency, { keepSeconds: 30 * 86_400 });
    const week = read(written({ head: 'version: 1\nidempotency: { keep: 7d }' }));
    assert.deepEqual(week.configuration.idempotency, { keepSeconds: 7 * 86_400 });
  });
});

describe('refused: guards that cannot hold', () => {
  const cases: [string, string, Refusal][] = [
    [
      'a budget smaller than one pack',
      remote('limits: { dailyUpload: §10MiB }'),
      { says: /must hold one pack of restic's \(16 MiB\).*under 32 MiB/, fix: /32MiB or more/ },
    ],
    ['a budget of nothing', local('limits: { dailyUpload: §0 }'), { says: /one pack/ }],
    ['a reset of no budget', local('limits: { §dailyReset: "02:00" }'), { says: /no budget to reset/ }],
    [
      'a reset at no time',
      local('limits: { dailyUpload: 1GiB, dailyReset: §"24:00" }'),
      { says: /not a time of day/ },
    ],
    [
      'a reset in words',
      local('limits: { dailyUpload: 1GiB, dailyReset: §noon }'),
      { says: /not a time of day/, fix: /"02:00"/ },
    ],
    ['a share over all', local('headroom: { highWatermark: §101% }'), { says: /not a share/ }],
    ['a share without its sign', local('headroom: { highWatermark: §90 }'), { says: /expected a share/ }],
    [
      'a low mark at the high one',
      local('headroom: { highWatermark: 80%, lowWatermark: §80% }'),
      { says: /below the high one \(80%\)/ },
    ],
    [
      'marks of a place of unknown size',
      remote('headroom: §{ highWatermark: 80% }'),
      { says: /how large/, fix: /capacity/ },
    ],
    ['no capacity at all', remote('headroom: { capacity: §0 }'), { says: /nothing fits/ }],
    [
      'no time for keys',
      written({ head: 'version: 1\nidempotency: { keep: §0d }' }),
      { says: /longer than 0/ },
    ],
  ];
  for (const [name, text, refusal] of cases) it(name, () => assertRefused(text, refusal));
});
