import assert from 'node:assert/strict';
import { thinnedOut, type CountedRefusal } from '../../api/refusals.ts';

describe('refused access on the audit chain', () => {
  const attempt = (subject: string) => ({ subject, method: 'GET', route: '/api/v1/points' });

  it('is one event a minute for each caller, with how many there were', async () => {
    let now = 0;
    const told: CountedRefusal[] = [];
    const refused = thinnedOut(
      async (refusal) => void told.push(refusal),
      () => now,
    );
    for (let second = 0; second < 130; second += 1) {
      now = second * 1000;
      await refused(attempt('address/10.0.0.1'));
      if (second === 5) await refused(attempt('address/10.0.0.2'));
    }
    assert.deepEqual(
      told.map(({ subject, untold }) => [subject, untold]),
      [
        ['address/10.0.0.1', 0],
        ['address/10.0.0.2', 0],
        ['address/10.0.0.1', 59],
        ['address/10.0.0.1', 59],
      ],
    );
  });

  it('forgets old callers, and tells new ones all the same', async () => {
    let events = 0;
    const refused = thinnedOut(async () => void (events += 1));
    for (let caller = 0; caller < 3000; caller += 1) await refused(attempt(`address/${caller}`));
    assert.equal(events, 3000);
  });
});
