import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { NotificationChannel } from '../../../domain/configuration/notification-types.ts';
import type { Condition } from '../../../domain/incidents/condition.ts';
import { planIncidents, SETTLE_SECONDS, type OpenIncident } from '../../../domain/incidents/plan.ts';
import { aChannel, aCondition, applied } from './incident-fixture.ts';

const START = Date.parse('2026-11-20T00:00:00Z');
const PASS = 15;

/** Passes at these seconds, and what each told whom: `12 ops opened a,b`. */
function told(
  channels: NotificationChannel[],
  passes: [second: number, conditions: Condition[]][],
): string[] {
  let known: OpenIncident[] = [];
  return passes.flatMap(([second, conditions]) => {
    const now = new Date(START + second * 1000);
    const plan = planIncidents(known, conditions, channels, now);
    known = applied(known, plan, now);
    return plan.messages.map(({ channel, items }) => {
      const words = items.map(({ kind, key, endsThread }) => `${kind} ${key}${endsThread ? ' (last)' : ''}`);
      return `${second} ${channel}: ${words.join(', ')}`;
    });
  });
}

const a = aCondition('a');
const b = aCondition('b');

describe('incidents: who is told when', () => {
  const ops = aChannel('ops');

  it('once at the opening, once when it is over', () => {
    assert.deepEqual(
      told(
        [ops],
        [
          [0, [a]],
          [15, [a]],
          [30, []],
          [45, []],
          [400, []],
          [415, []],
        ],
      ),
      ['0 ops: opened a', '400 ops: resolved a (last)'],
    );
  });

  it('one that comes and goes within minutes is one incident', () => {
    const flapping = Array.from({ length: 40 }, (_, pass): [number, Condition[]] => [
      pass * PASS,
      pass % 2 === 0 ? [a] : [],
    ]);
    assert.deepEqual(told([ops], [...flapping, [2000, []]]), [
      '0 ops: opened a',
      '2000 ops: resolved a (last)',
    ]);
  });

  it('one that returns after it was over is another', () => {
    const again = told(
      [ops],
      [
        [0, [a]],
        [600, []],
        [615, [a]],
      ],
    );
    assert.deepEqual(again, ['0 ops: opened a', '600 ops: resolved a (last)', '615 ops: opened a']);
  });

  it('a storm is one message', () => {
    const storm = Array.from({ length: 500 }, (_, index) => aCondition(`asset/${index}`));
    const [message, ...others] = planIncidents([], storm, [ops], new Date(START)).messages;
    assert.equal(message?.items.length, 500);
    assert.deepEqual(others, []);
  });

  it('again when it gets worse, not when it gets better, nor worse a second time', () => {
    const worse = aCondition('a', { severity: 'critical' });
    const passes: [number, Condition[]][] = [
      [0, [a]],
      [15, [worse]],
      [30, [a]],
      [45, [worse]],
    ];
    assert.deepEqual(told([ops], passes), ['0 ops: opened a', '15 ops: escalated a']);
  });

  it('a channel that wants graver ones is told when it becomes one', () => {
    const pager = aChannel('pager', { on: ['page', 'recovery'] });
    const page = aCondition('a', { severity: 'page' });
    assert.deepEqual(
      told(
        [ops, pager],
        [
          [0, [a]],
          [15, [page]],
          [600, []],
        ],
      ),
      [
        '0 ops: opened a',
        '15 ops: escalated a',
        '15 pager: opened a',
        '600 ops: resolved a (last)',
        '600 pager: resolved a (last)',
      ],
    );
  });

  it('a reminder of what is critical, as often as the channel says', () => {
    const critical = aCondition('a', { severity: 'critical' });
    const reminding = aChannel('ops', { remindEverySeconds: 3600 });
    const passes = Array.from({ length: 10 }, (_, index): [number, Condition[]] => [
      index * 900,
      [critical, b],
    ]);
    assert.deepEqual(told([reminding], passes), [
      '0 ops: opened a, opened b',
      '3600 ops: reminder a',
      '7200 ops: reminder a',
    ]);
  });

  it('a channel that was added is told what is open; one that asks for no recovery hears of none', () => {
    const late = aChannel('late', { on: ['failure'] });
    const known = applied([], planIncidents([], [a], [ops], new Date(START)), new Date(START));
    const next = planIncidents(known, [a], [ops, late], new Date(START + 15_000));
    assert.deepEqual(
      next.messages.map(({ channel }) => channel),
      ['late'],
    );
    assert.deepEqual(
      told(
        [late],
        [
          [0, [a]],
          [600, []],
        ],
      ),
      ['0 late: opened a'],
    );
  });

  it('the last of a thread says so, for whoever counts by the thread', () => {
    assert.deepEqual(
      told(
        [ops],
        [
          [0, [a, b]],
          [600, [b]],
          [1200, []],
        ],
      ),
      ['0 ops: opened a, opened b', '600 ops: resolved a', '1200 ops: resolved b (last)'],
    );
    assert.deepEqual(
      told(
        [ops],
        [
          [0, [a, b]],
          [600, []],
        ],
      ).at(-1),
      '600 ops: resolved a (last), resolved b',
    );
  });

  it('a clock that was set back a year does not keep it open', () => {
    assert.deepEqual(
      told(
        [ops],
        [
          [0, [a]],
          [-31_536_000, []],
        ],
      ).at(-1),
      '-31536000 ops: resolved a (last)',
    );
  });

  const routes: [
    what: string,
    channel: Parameters<typeof aChannel>[1],
    condition: Partial<Condition>,
    told: boolean,
  ][] = [
    ['its policy', { policies: ['daily'] }, { policies: ['daily', 'weekly'] }, true],
    ['another policy', { policies: ['daily'] }, { policies: ['weekly'] }, false],
    ['what concerns everybody', { policies: ['daily'] }, { policies: [] }, true],
    ['a topic it did not ask for', { on: ['failure'] }, { topic: 'objective' }, false],
    ['less than it asked for', { severity: 'critical' }, { severity: 'warning' }, false],
    ['what is for the record only', {}, { severity: 'info' }, false],
    ['its own failure', {}, { topic: 'channel', key: 'channel/ops' }, false],
    ["another channel's failure", {}, { topic: 'channel', key: 'channel/pager' }, true],
  ];
  for (const [what, channel, condition, expected] of routes) {
    it(`a channel is ${expected ? '' : 'not '}told of ${what}`, () => {
      const { messages } = planIncidents(
        [],
        [aCondition('a', condition)],
        [aChannel('ops', channel)],
        new Date(START),
      );
      assert.equal(messages.length === 1, expected);
    });
  }
});

describe('incidents over random times', () => {
  const keys = ['a', 'b', 'c', 'd'];
  const history = fc.array(fc.tuple(fc.integer({ min: 5, max: 900 }), fc.subarray(keys)), { maxLength: 60 });

  it('each spell of a condition is opened once and resolved once, in that order', () => {
    fc.assert(
      fc.property(history, (steps) => {
        let second = 0;
        const passes = steps.map(([gap, present]): [number, Condition[]] => [
          (second += gap),
          present.map((key) => aCondition(key)),
        ]);
        passes.push([second + SETTLE_SECONDS, []]);
        const lines = told([aChannel('ops')], passes).flatMap((line) => {
          const [at = '', rest = ''] = line.split(' ops: ');
          return rest.split(', ').map((item) => ({ at: Number(at), item: item.replace(' (last)', '') }));
        });
        for (const key of keys) {
          const got = lines
            .filter(({ item }) => item.endsWith(` ${key}`))
            .map(({ at, item }) => `${at} ${item}`);
          assert.deepEqual(got, spells(key, passes));
        }
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

/** The rule once more, written the other way round: from the times a condition was seen at. */
function spells(key: string, passes: [number, Condition[]][]): string[] {
  const words: string[] = [];
  let lastSeen: number | null = null;
  for (const [second, conditions] of passes) {
    const here = conditions.some((condition) => condition.key === key);
    if (here && lastSeen === null) words.push(`${second} opened ${key}`);
    if (here) lastSeen = second;
    else if (lastSeen !== null && second - lastSeen >= SETTLE_SECONDS) {
      words.push(`${second} resolved ${key}`);
      lastSeen = null;
    }
  }
  return words;
}
