import assert from 'node:assert/strict';
import type { Drill } from '../../../domain/configuration/drill-types.ts';
import { isHeld, lastDueOf, notHeld } from '../../../domain/incidents/drills-not-held.ts';
import type { DrillRunFact } from '../../../domain/incidents/facts.ts';

const quarterly: Drill = {
  ...{ name: 'quarterly', scenario: 'siteLoss', policies: ['critical'], assets: [], classes: [] },
  ...{ from: 'offsite', select: { rule: 'latest' }, start: null, smoke: [], smokeSeconds: 300 },
  cadence: { kind: 'cron', expression: '0 3 1 */3 *' },
  objectives: { rtoSeconds: null, rpoSeconds: null },
};
const lastDue = (now: string, drill = quarterly) => lastDueOf(drill, new Date(now))?.toISOString() ?? null;

describe('a drill that was due and not held', () => {
  it('is one an hour after it had to begin, not before', () => {
    assert.equal(lastDue('2026-04-01T03:59:59Z'), '2026-01-01T03:00:00.000Z');
    assert.equal(lastDue('2026-04-01T04:00:00Z'), '2026-04-01T03:00:00.000Z');
    assert.equal(lastDue('2026-06-30T00:00:00Z'), '2026-04-01T03:00:00.000Z');
    assert.equal(lastDue('2026-04-01T04:00:00Z', { ...quarterly, cadence: null }), null);
  });

  const dueAt = '2026-04-01T03:00:00.000Z';
  const run = (
    startedAt: string,
    status: NonNullable<DrillRunFact['newest']>['status'],
    hasVerdict: boolean,
  ) => ({
    ...{ startedAt, status, hasVerdict },
  });

  it('is answered for by one that runs or left a verdict, and by no other', () => {
    const held = (newest: DrillRunFact['newest']) => isHeld(new Date(dueAt), newest);
    assert.equal(held(null), false);
    assert.equal(held(run('2026-01-01T03:00:00.000Z', 'success', true)), false);
    assert.equal(held(run(dueAt, 'running', false)), true);
    assert.equal(held(run(dueAt, 'failed', true)), true);
    assert.equal(held(run(dueAt, 'failed', false)), false);
    assert.equal(held(run(dueAt, 'cancelled', false)), false);
  });

  it('says whether it never began or left nothing, and how to hold it', () => {
    const fact = { drill: 'quarterly', dueAt, policies: ['critical'], newest: null };
    const never = notHeld(fact);
    assert.deepEqual([never.key, never.severity], ['drill/quarterly/notHeld', 'critical']);
    assert.match(never.reason, /none has begun since/);
    assert.match(never.next, /holdfast drill run quarterly/);
    const cancelled = notHeld({ ...fact, newest: run(dueAt, 'cancelled', false) });
    assert.equal(cancelled.severity, 'warning');
    assert.match(cancelled.reason, /ended cancelled and left no evidence/);
  });
});
