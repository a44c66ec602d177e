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
  type LeaseMode,
  type LeaseState,
} from '../../domain/lease.ts';

const ask = (state: LeaseState, key: string, mode: LeaseMode) =>
  asked(state, { key, mode, holder: `workflow/${key}` });

/** Grants whoever may be granted, as the queue's workflow does. */
function settled(state: LeaseState, now = 0): LeaseState {
  for (let next = nextInTurn(state); next; next = nextInTurn(state))
    state = granted(state, next.key, state.lastFence + 1, now);
  return state;
}
const heldBy = ({ held }: LeaseState) => held.map(({ key }) => key).join('');

/** `+a` asks shared, `!a` exclusive, `-a` gives back; after each step, who holds. */
function played(steps: string): string[] {
  let state = nobody;
  return steps.split(' ').map((step) => {
    const key = step.slice(1);
    if (step.startsWith('-')) state = released(state, key);
    else state = ask(state, key, step.startsWith('!') ? 'exclusive' : 'shared');
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
});
