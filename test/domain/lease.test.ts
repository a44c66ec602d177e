import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  asked,
  granted,
  inTheWayOf,
  nextInTurn,
  nobody,
  overdue,
  released,
  renewed,
  stillCounts,
  type LeaseMode,
  type LeaseState,
} from '../../domain/lease.ts';

const ask = (state: LeaseState, key: string, mode: LeaseMode, urgent = false) =>
  asked(state, { key, mode, holder: `workflow/${key}`, ...(urgent && { urgent }) });

/** Grants whoever may be granted, as the queue's workflow does. */
function settled(state: LeaseState, now = 0): LeaseState {
  for (let next = nextInTurn(state); next; next = nextInTurn(state))
    state = granted(state, next.key, state.lastFence + 1, now);
  return state;
}
const heldBy = ({ held }: LeaseState) => held.map(({ key }) => key).join('');

/** `+a` asks shared, `^a` urgently so, `!a` exclusive, `-a` gives back; after each step, who holds. */
function played(steps: string): string[] {
  let state = nobody;
  return steps.split(' ').map((step) => {
    const key = step.slice(1);
    if (step.startsWith('-')) state = released(state, key);
    else state = ask(state, key, step.startsWith('!') ? 'exclusive' : 'shared', step.startsWith('^'));
    state = settled(state);
    return heldBy(state);
  });
}

describe('the lease on a repository', () => {
  const cases: [what: string, steps: string, holders: string[]][] = [
    ['is shared by any number', '+a +b +c', ['a', 'ab', 'abc']],
    ['is exclusive for one', '!a !b -a -b', ['a', 'a', 'b', '']],
    ['waits for every reader', '+a +b !c -a -b', ['a', 'ab', 'ab', 'b', 'c']],
    ['lets nobody past who waits for it alone', '+a !b +c -a -b', ['a', 'a', 'a', 'b', 'c']],
    ['lets those behind go on when who waits goes away', '+a !b +c -b', ['a', 'a', 'a', 'ac']],
    ['is asked for once', '+a +a !b -a', ['a', 'a', 'a', 'b']],
    ['is not given back by who has it not', '!a -b', ['a', 'a']],
    ['lets what is urgent past who waits to be alone', '+a !b ^c -c -a', ['a', 'a', 'ac', 'a', 'b']],
    ['lets it past everybody who waits', '+a !b +c !d ^e', ['a', 'a', 'a', 'a', 'ae']],
    ['lets nothing past who is alone', '!a !b ^c -a -b', ['a', 'a', 'a', 'b', 'c']],
    [
      'lets nothing past any more when those who were there before have gone',
      '+a !b ^c -a ^d -c -b',
      ['a', 'a', 'ac', 'c', 'c', 'b', 'd'],
    ],
    [
      'does so although somebody came before one who waits further back',
      '+a !b ^c !d -a ^e -c -b -d',
      ['a', 'a', 'ac', 'ac', 'c', 'c', 'b', 'd', 'e'],
    ],
    [
      'counts those who went ahead of one as there before the next',
      '+a !b ^c -b !d -a ^e -c -e',
      ['a', 'a', 'ac', 'ac', 'ac', 'c', 'ce', 'e', 'd'],
    ],
  ];
  for (const [what, steps, holders] of cases) {
    it(what, () => assert.deepEqual(played(steps), holders));
  }

  it('says who is in the way', () => {
    let state = settled(ask(nobody, 'a', 'shared'));
    state = ask(ask(state, 'b', 'exclusive'), 'c', 'shared');
    assert.deepEqual(inTheWayOf(state, 'c'), ['workflow/a', 'workflow/b']);
    assert.deepEqual(inTheWayOf(state, 'a'), []);
  });

  it('is not granted to who took the request back, nor out of turn', () => {
    const waiting = ask(ask(nobody, 'a', 'exclusive'), 'b', 'shared');
    assert.equal(granted(waiting, 'b', 1, 0), waiting);
    assert.equal(heldBy(granted(released(waiting, 'a'), 'a', 1, 0)), '');
  });

  it('is not granted urgently to who wants to be alone', () => {
    const state = ask(ask(settled(ask(nobody, 'a', 'shared')), 'b', 'exclusive'), 'c', 'exclusive', true);
    assert.equal(nextInTurn(state), null);
  });

  it('leaves the queue as it was behind who went ahead', () => {
    let state = settled(ask(nobody, 'a', 'shared'));
    state = settled(ask(ask(ask(state, 'b', 'exclusive'), 'c', 'shared'), 'd', 'shared', true));
    assert.deepEqual(
      state.waiting.map(({ key }) => key),
      ['b', 'c'],
    );
    assert.deepEqual(inTheWayOf(state, 'b'), ['workflow/a', 'workflow/d']);
  });

  const last = { fence: 7, exclusive: 5 };
  const numbers: [
    what: string,
    fence: number,
    last: { fence: number; exclusive: number },
    counts: boolean,
  ][] = [
    ['shared, of before somebody was alone', 4, last, false],
    ['of who was alone, others having come since', 5, last, false],
    ['shared, with others that came since', 6, last, true],
    ['shared, the last one', 7, last, true],
    ['that was never given', 8, last, false],
    ['of who is alone', 5, { fence: 5, exclusive: 5 }, true],
    ['of who was alone before another was', 5, { fence: 8, exclusive: 8 }, false],
    ['shared, where nobody was ever alone', 1, { fence: 2, exclusive: 0 }, true],
  ];
  for (const [what, fence, seen, counts] of numbers) {
    it(`${counts ? 'lets' : 'no longer lets'} a number take away: ${what}`, () =>
      assert.equal(stillCounts(fence, seen), counts));
  }

  it('never takes a number that is not higher', () => {
    const before = { ...ask(nobody, 'a', 'shared'), lastFence: 7 };
    assert.deepEqual(granted(before, 'a', 7, 0).held, before.held);
    assert.deepEqual(granted(before, 'a', 7, 0).waiting, [], 'it is dropped, and asked for again');
  });

  it('is looked after when nobody was seen to use it for the limit', () => {
    const state = settled(ask(nobody, 'a', 'shared'), 1000);
    assert.deepEqual(overdue(state, 500, 1499), []);
    assert.equal(overdue(state, 500, 1500)[0]?.key, 'a');
    assert.deepEqual(overdue(renewed(state, 'a', 1500), 500, 1999), []);
  });

  const step = fc.record({
    what: fc.constantFrom('ask', 'ask', 'release'),
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    mode: fc.constantFrom<LeaseMode>('shared', 'shared', 'exclusive'),
  });

  it('is never exclusive beside another, first come first served, and its numbers rise', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state = nobody;
        let order: string[] = [];
        let lastFence = 0;
        for (const [moment, { what, key, mode }] of steps.entries()) {
          const known = [...state.held, ...state.waiting].some((one) => one.key === key);
          if (what === 'ask' && !known) order.push(key);
          if (what === 'release') order = order.filter((one) => one !== key);
          state = what === 'ask' ? ask(state, key, mode) : released(state, key);
          for (let next = nextInTurn(state); next; next = nextInTurn(state)) {
            state = granted(state, next.key, state.lastFence + 1, moment);
            assert.ok(state.lastFence > lastFence);
            lastFence = state.lastFence;
          }
          const alone = state.held.filter((one) => one.mode === 'exclusive').length;
          assert.ok(alone === 0 || state.held.length === 1, 'exclusive beside another');
          const inOrder = [...state.held, ...state.waiting].map((one) => one.key);
          assert.deepEqual(inOrder, order, 'out of turn');
          assert.ok(state.held.length > 0 || state.waiting.length === 0, 'a free repository is waited for');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is put off for who is urgent only while somebody who came before has it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 60 }), (steps) => {
        let state = nobody;
        /** Of each that waits to be alone: who was there, or before it, when it asked. */
        const before = new Map<string, string[]>();
        for (const [{ what, key, mode }, urgent] of steps) {
          const known = [...state.held, ...state.waiting].map((one) => one.key);
          if (what === 'ask' && !known.includes(key) && mode === 'exclusive') before.set(key, known);
          state = what === 'ask' ? ask(state, key, mode, urgent) : released(state, key);
          if (what === 'release') before.delete(key);
          for (let next = nextInTurn(state); next; next = nextInTurn(state)) {
            const held = state.held.map((one) => one.key);
            for (const { key: waits } of state.waiting.filter((one) => one.mode === 'exclusive')) {
              const earlier = before.get(waits) ?? [];
              if (waits === next.key || earlier.includes(next.key)) continue;
              assert.ok(next.urgent && next.mode === 'shared', `${next.key} went past ${waits}`);
              assert.ok(
                held.some((one) => earlier.includes(one)),
                `${waits} is put off for ${next.key} alone`,
              );
            }
            state = granted(state, next.key, state.lastFence + 1, 0);
          }
          const alone = state.held.filter((one) => one.mode === 'exclusive').length;
          assert.ok(alone === 0 || state.held.length === 1, 'exclusive beside another');
          assert.ok(state.held.length > 0 || state.waiting.length === 0, 'a free repository is waited for');
          for (const key of before.keys())
            if (!state.waiting.some((one) => one.key === key)) before.delete(key);
        }
      }),
      { numRuns: 500 },
    );
  });
});
