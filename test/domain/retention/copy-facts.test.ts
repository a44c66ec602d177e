import assert from 'node:assert/strict';
import { retainedPoint, type StoredCopy } from '../../../domain/retention/copy-facts.ts';
import { planRetention } from '../../../domain/retention/plan.ts';
import { retention } from './retention-fixture.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const copy = (id: string, takenAt: string, more: Partial<StoredCopy> = {}): StoredCopy => ({
  id,
  kind: 'regular',
  takenAt,
  storedAt: takenAt,
  verifiedAt: takenAt,
  provenAt: null,
  damagedAt: null,
  partial: null,
  tags: [],
  removingSince: null,
  ...more,
});
const kept = (copies: StoredCopy[], at = now) =>
  planRetention({
    points: copies.map((one) => retainedPoint(one, [])),
    rules: retention({ keepLast: 2 }),
    immutableDays: null,
    now: at,
  })
    .filter(({ decision }) => decision === 'keep')
    .map(({ recoveryPointId }) => recoveryPointId);

describe('what retention judges by', () => {
  it('partial points count as the rules say, and push no whole one out', () => {
    const partial = '2 of its files could not be read';
    const copies = [
      copy('d', '2026-11-20T00:00:00.000Z', { partial }),
      copy('c', '2026-11-19T00:00:00.000Z', { partial }),
      copy('b', '2026-11-18T00:00:00.000Z'),
      copy('a', '2026-11-17T00:00:00.000Z'),
      copy('0', '2026-11-16T00:00:00.000Z'),
    ];
    assert.deepEqual(kept(copies), ['d', 'c', 'b', 'a']);
  });

  it('a point keeps the tags it was given', () => {
    const copies = ['20', '19', '18'].map((day) => copy(day, `2026-11-${day}T00:00:00.000Z`));
    const tagged = copy('old', '2026-01-01T00:00:00.000Z', { tags: ['release'] });
    const [dropped] = planRetention({
      points: [...copies, tagged].map((one) => retainedPoint(one, [])),
      rules: retention({ keepLast: 1, keepTags: ['release'] }),
      immutableDays: null,
      now,
    }).slice(1);
    assert.deepEqual(dropped?.reasons, ['no rule keeps it (tagged release, newest 1)']);
    const rules = retention({ keepTags: ['release'] });
    const [, , , last] = planRetention({
      points: [...copies, tagged].map((one) => retainedPoint(one, [])),
      ...{ rules, immutableDays: null, now },
    });
    assert.deepEqual([last?.decision, last?.reasons], ['keep', ['tagged release']]);
  });

  it('a safety point goes seven days after it was taken', () => {
    const regular = copy('r', '2026-11-20T00:00:00.000Z');
    const safety = copy('s', '2026-11-14T12:00:00.001Z', { kind: 'safety' });
    assert.deepEqual(kept([regular, safety]), ['r', 's']);
    assert.deepEqual(kept([regular, safety], new Date('2026-11-21T12:00:00.001Z')), ['r']);
  });

  it('a damaged copy stays until a person takes it away', () => {
    const damaged = copy('x', '2026-11-01T00:00:00.000Z', { damagedAt: '2026-11-02T00:00:00.000Z' });
    const whole = ['2026-11-20', '2026-11-19'].map((day) => copy(day, `${day}T00:00:00.000Z`));
    assert.ok(kept([...whole, damaged]).includes('x'));
  });
});
