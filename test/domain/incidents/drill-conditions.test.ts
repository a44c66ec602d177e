import assert from 'node:assert/strict';
import { conditionsOf } from '../../../domain/incidents/conditions.ts';
import type { DrillFact, IncidentFacts } from '../../../domain/incidents/facts.ts';

const nothing: IncidentFacts = {
  ...{ assets: [], outcomes: [], policies: [], repositories: [], lateCopies: [], channels: [] },
};
const after = (outcome: DrillFact['outcome']) =>
  conditionsOf(
    {
      ...nothing,
      drills: [
        {
          ...{ drill: 'quarterly', id: '7f3a0000', outcome, reason: 'orders: gone', policies: ['daily'] },
          told: {},
        },
      ],
    },
    new Date('2026-11-21T12:00:00Z'),
  );

describe('an incident of a drill', () => {
  it('pages once where it failed or missed an objective, and leads to the retest', () => {
    for (const outcome of ['failed', 'missed'] as const) {
      const [condition, ...others] = after(outcome);
      assert.equal(others.length, 0);
      assert.equal(condition?.key, 'drill/quarterly');
      assert.equal(condition?.severity, 'page');
      assert.equal(condition?.topic, 'drill');
      assert.match(condition?.next ?? '', /holdfast drill run quarterly/);
    }
  });

  it('wakes nobody where something was not shown, and is over when a drill passes', () => {
    assert.equal(after('inconclusive')[0]?.severity, 'warning');
    assert.deepEqual(after('passed'), []);
  });
});
