import assert from 'node:assert/strict';
import { gameDayRecord, playedNothing, withSafetyPoints } from '../../../domain/drills/game-day.ts';
import { drillRecord } from '../../../domain/evidence/record-schema.ts';
import { verdictOf } from '../../../domain/evidence/outcome.ts';
import { drilledAsset, drillRecordOf } from '../evidence/evidence-fixture.ts';

const integrity = drilledAsset().integrity;
const at = (time: string) => `2026-11-21T${time}.000Z`;
const played = () => ({
  ...playedNothing(),
  safetyPoints: [{ asset: 'uploads', point: 'p-9' }],
  takenDownAt: at('03:00:00'),
  noticedAt: at('03:00:04'),
  restored: [{ asset: 'uploads', restoreId: 'r-7', backAt: at('03:01:00'), integrity, checks: [] }],
  backAt: at('03:01:10'),
  endedAt: at('03:01:11'),
  timeline: [{ at: at('03:00:00'), asset: null, what: 'taken down' }],
});
const record = () => drillRecordOf({ objectives: { rtoSeconds: 60, rpoSeconds: 7200 } });

describe('the record of a game day', () => {
  it('measures what was lost and how long the service was away from the take-down on', () => {
    const told = gameDayRecord(record(), played());
    assert.deepEqual(told.measured, { rtoSeconds: 70, rpoSeconds: 3600 });
    const [uploads] = told.assets;
    assert.deepEqual([uploads?.rpo.achievedSeconds, uploads?.rto.achievedSeconds], [3600, 60]);
    assert.deepEqual(verdictOf(told), {
      outcome: 'missed',
      reasons: [{ outcome: 'missed', asset: null, what: 'RTO 1 m 10 s (70 s), objective 1 m (60 s)' }],
    });
    assert.match(
      JSON.stringify(told.production),
      /r-7 brought it back from offsite; what was there beforehand is safety point p-9/,
    );
    assert.ok(drillRecord.safeParse(told).success);
  });

  it('is no pass where the outage was not noticed, or the service is not well again', () => {
    for (const missing of [{ noticedAt: null }, { backAt: null }])
      assert.notEqual(verdictOf(gameDayRecord(record(), { ...played(), ...missing })).outcome, 'passed');
  });

  it('has failed where an asset did not come back', () => {
    const restored = [{ ...played().restored[0]!, backAt: null }];
    const told = gameDayRecord(record(), { ...played(), restored });
    assert.equal(verdictOf(told).outcome, 'failed');
    assert.match(JSON.stringify(told.production), /r-7 from offsite did not bring it back/);
  });

  it('says of a failure where what was there beforehand is kept', () => {
    const failure = { code: 'hook.failed', message: 'm', cause: 'c', hint: 'look' };
    const { hint } = withSafetyPoints(failure, played());
    assert.match(hint, /^look; .+restore prepare --asset uploads --point p-9/);
    assert.equal(withSafetyPoints(failure, playedNothing()).hint, 'look');
  });
});
