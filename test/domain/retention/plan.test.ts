import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RetainedPoint, RetentionRequest } from '../../../domain/retention/plan.ts';
import { planRetention } from '../../../domain/retention/plan.ts';
import { daysAgo, now, pointAt, retention, somePoints, someRules } from './retention-fixture.ts';

const keepOne = retention({ keepLast: 1 });

function plan(points: RetainedPoint[], change: Partial<RetentionRequest> = {}) {
  return planRetention({ points, rules: keepOne, immutableDays: null, now, ...change });
}

/** Decision and reasons of each point, newest first. */
function said(points: RetainedPoint[], change: Partial<RetentionRequest> = {}): [string, ...string[]][] {
  return plan(points, change).map(({ decision, reasons }) => [decision, ...reasons]);
}

const noRule = ['drop', 'no rule keeps it (newest 1)'];

describe('a retention plan', () => {
  it('says of each point, newest first, why it stays or goes', () => {
    const points = [3, 1, 2].map((days) => pointAt(daysAgo(days), { id: `point-${days}` }));
    const rules = retention({ keepLast: 1, keepWithinDailySeconds: 86_401 });
    assert.deepEqual(plan(points, { rules }), [
      {
        recoveryPointId: 'point-1',
        takenAt: '2026-11-19T16:00:00.000Z',
        decision: 'keep',
        reasons: [
          'the newest',
          'daily within 1d1s of the newest: the last of 2026-11-19',
          'the newest stored point, none being verified',
        ],
      },
      {
        recoveryPointId: 'point-2',
        takenAt: '2026-11-18T16:00:00.000Z',
        decision: 'keep',
        reasons: ['daily within 1d1s of the newest: the last of 2026-11-18'],
      },
      {
        recoveryPointId: 'point-3',
        takenAt: '2026-11-17T16:00:00.000Z',
        decision: 'drop',
        reasons: ['no rule keeps it (newest 1, daily within 1d1s)'],
      },
    ]);
  });

  it('drops nothing where nothing was said, or only zeros', () => {
    for (const rules of [null, retention({}), retention({ keepLast: 0 })]) {
      const nothing = ['keep', 'nothing was said, so nothing is dropped'];
      assert.deepEqual(said([pointAt(daysAgo(1)), pointAt(daysAgo(2))], { rules }), [
        [...nothing, 'the newest stored point, none being verified'],
        nothing,
      ]);
    }
  });

  it('keeps the newest proven point', () => {
    const provenAt = daysAgo(0);
    const points = [
      pointAt(daysAgo(1)),
      pointAt(daysAgo(2), { verifiedAt: daysAgo(0) }),
      pointAt(daysAgo(3), { provenAt }),
      pointAt(daysAgo(4), { provenAt }),
    ];
    assert.deepEqual(said(points), [
      ['keep', 'the newest'],
      noRule,
      ['keep', 'the newest proven point'],
      noRule,
    ]);
  });

  it('keeps the newest verified point where none is proven', () => {
    const points = [
      pointAt(daysAgo(1)),
      pointAt(daysAgo(2), { verifiedAt: daysAgo(0) }),
      pointAt(daysAgo(3), { verifiedAt: daysAgo(0) }),
    ];
    assert.deepEqual(said(points), [
      ['keep', 'the newest'],
      ['keep', 'the newest verified point, none being proven'],
      noRule,
    ]);
  });

  it('keeps the last proven point also where it is a safety point, and the best regular one', () => {
    const points = [
      pointAt(daysAgo(1)),
      pointAt(daysAgo(2), { kind: 'safety', provenAt: daysAgo(2), expiresAt: daysAgo(1) }),
    ];
    assert.deepEqual(said(points), [
      ['keep', 'the newest', 'the newest stored point, none being verified'],
      ['keep', 'the newest proven point'],
    ]);
  });

  it('keeps what is held, and says by whom', () => {
    const held = [
      { owner: 'restore r-19', reason: 'it is prepared' },
      { owner: 'ada', reason: 'the audit of 2026' },
    ];
    assert.deepEqual(said([pointAt(daysAgo(1)), pointAt(daysAgo(2), { held })])[1], [
      'keep',
      'held by restore r-19: it is prepared',
      'held by ada: the audit of 2026',
    ]);
  });

  it('keeps what is immutable, counted from when the copy was written', () => {
    const points = [
      pointAt(daysAgo(1)),
      pointAt(daysAgo(10)),
      pointAt(daysAgo(11), { storedAt: daysAgo(9) }),
      pointAt(daysAgo(12)),
    ];
    assert.deepEqual(said(points, { immutableDays: 10 }).slice(1), [
      noRule,
      ['keep', 'immutable until 2026-11-21T16:00:00.000Z'],
      noRule,
    ]);
  });

  it('keeps a damaged point, and lets it push out no whole one', () => {
    const points = [
      pointAt(daysAgo(1), { damaged: true, provenAt: daysAgo(1) }),
      pointAt(daysAgo(2)),
      pointAt(daysAgo(3)),
    ];
    assert.deepEqual(said(points), [
      ['keep', "damaged: goes only by a person's word"],
      ['keep', 'the newest', 'the newest stored point, none being verified'],
      noRule,
    ]);
  });

  it('keeps safety and system points until their time is over, and counts none of them', () => {
    const points = [
      pointAt(daysAgo(0), { kind: 'safety', expiresAt: daysAgo(-7) }),
      pointAt(daysAgo(1), { kind: 'system' }),
      pointAt(daysAgo(2), { verifiedAt: daysAgo(1) }),
      pointAt(daysAgo(3), { kind: 'safety', expiresAt: daysAgo(0) }),
    ];
    assert.deepEqual(said(points), [
      ['keep', 'safety point: kept until 2026-11-27T16:00:00.000Z'],
      ['keep', "system point: goes only by a person's word"],
      ['keep', 'the newest', 'the newest verified point, none being proven'],
      ['drop', 'safety point: it was to be kept until 2026-11-20T16:00:00.000Z'],
    ]);
  });

  it('drops no safety point where nothing was said', () => {
    const points = [pointAt(daysAgo(1)), pointAt(daysAgo(3), { kind: 'safety', expiresAt: daysAgo(2) })];
    assert.deepEqual(said(points, { rules: null })[1], ['keep', 'nothing was said, so nothing is dropped']);
  });
});

describe('every retention plan', () => {
  const someRequest: fc.Arbitrary<RetentionRequest> = fc.record({
    points: somePoints,
    rules: fc.option(someRules, { nil: null, freq: 6 }),
    immutableDays: fc.option(fc.integer({ min: 1, max: 400 }), { nil: null }),
    now: fc.constant(now),
  });
  const droppedOf = (request: RetentionRequest) => {
    const dropped = new Set(
      planRetention(request).flatMap((one) => (one.decision === 'drop' ? one.recoveryPointId : [])),
    );
    return request.points.filter(({ id }) => dropped.has(id));
  };
  const always = (promise: (request: RetentionRequest) => void) =>
    fc.assert(fc.property(someRequest, promise), { numRuns: 500 });

  it('decides on each point once, newest first, with a reason', () => {
    always((request) => {
      const decisions = planRetention(request);
      assert.deepEqual(
        decisions.map((one) => one.recoveryPointId).sort(),
        request.points.map(({ id }) => id).sort(),
      );
      const times = decisions.map(({ takenAt }) => takenAt);
      assert.deepEqual(times, [...times].sort().reverse());
      assert.ok(decisions.every(({ reasons }) => reasons.length > 0 && !reasons.includes('')));
    });
  });

  it('is the same in whatever order the points come', () => {
    const shuffled = someRequest.chain((request) =>
      fc
        .shuffledSubarray([...request.points], { minLength: request.points.length })
        .map((points) => ({ request, other: { ...request, points } })),
    );
    fc.assert(
      fc.property(shuffled, ({ request, other }) => {
        assert.deepEqual(planRetention(other), planRetention(request));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the newest proven point, the newest verified where none is proven, the newest where neither', () => {
    always((request) => {
      for (const of of [request.points, request.points.filter(({ kind }) => kind === 'regular')]) {
        const whole = of.filter(({ damaged }) => !damaged);
        const proven = whole.filter(({ provenAt }) => provenAt);
        const verified = whole.filter(({ verifiedAt }) => verifiedAt);
        const best = [proven, verified, whole].find((some) => some.length > 0) ?? [];
        const newest = best
          .map(({ takenAt }) => takenAt)
          .sort()
          .at(-1);
        const dropped = droppedOf(request);
        // Of several taken at one moment, one is enough.
        assert.ok(best.length === 0 || best.some((one) => one.takenAt === newest && !dropped.includes(one)));
      }
    });
  });

  it('drops nothing held, damaged or immutable, and nothing at all without rules', () => {
    always((request) => {
      const immutable = request.immutableDays ?? 0;
      for (const point of droppedOf(request)) {
        assert.deepEqual(point.held, []);
        assert.ok(!point.damaged);
        assert.ok(request.rules !== null);
        assert.ok(immutable === 0 || point.takenAt <= daysAgo(immutable));
        assert.ok(immutable === 0 || point.storedAt <= daysAgo(immutable));
        assert.ok(
          point.kind === 'regular' || (point.expiresAt !== null && point.expiresAt <= now.toISOString()),
        );
      }
    });
  });

  it('keeps everything it kept when made again without what went', () => {
    always((request) => {
      const dropped = droppedOf(request);
      const points = request.points.filter((point) => !dropped.includes(point));
      assert.deepEqual(droppedOf({ ...request, points }), []);
    });
  });

  it('never drops a whole regular point for the sake of a damaged or a safety one', () => {
    always((request) => {
      const points = request.points.filter(({ kind, damaged }) => kind === 'regular' && !damaged);
      const ids = (some: RetainedPoint[]) => some.map(({ id }) => id).sort();
      const among = new Set(ids(droppedOf({ ...request, points })));
      for (const id of ids(droppedOf(request).filter(({ kind }) => kind === 'regular')))
        assert.ok(among.has(id), id);
    });
  });
});
