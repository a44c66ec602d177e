import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { aJob, withCatalog } from './fixture.ts';

const DAY = 86_400_000;
const START = Date.parse('2026-11-20T02:00:00.000Z');
const day = (days: number) => new Date(START + days * DAY);

describe('what the clock has shown', () => {
  const fixture = withCatalog();
  beforeEach(async () => {
    await fixture.sql('truncate clock_seen');
    await fixture.catalog.clock.note(day(0));
    await fixture.catalog.clock.note(day(1));
  });

  const confirmedAt = async (now: Date) => {
    const { catalog } = fixture;
    const jobId = randomUUID();
    await catalog.jobs.begin(aJob({ id: jobId, type: 'retention' }));
    await catalog.as('anna').retention.recordPlan({
      ...{ jobId, repository: 'local', plannedAt: now.toISOString(), kept: 1, drops: [] },
      anomalies: [{ code: 'clock.untrusted', message: 'jumped', hint: '' }],
      confirmedBy: 'anna',
    });
    await catalog.jobs.end(jobId, { status: 'cancelled', error: null });
  };

  for (const [which, years] of [
    ['ahead', 1],
    ['behind', -1],
  ] as const) {
    it(`is not believed a year ${which}, whatever ran since, until a person confirms it for good`, async () => {
      const { clock, audit } = fixture.catalog;
      const jumped = (days: number) => day(years * 365 + days);
      assert.deepEqual(await clock.jump(jumped(0)), {
        from: day(1).toISOString(),
        to: jumped(0).toISOString(),
      });
      for (let after = 0; after < 4; after += 1) await clock.note(jumped(after));
      assert.deepEqual(await clock.jump(jumped(4)), {
        from: day(1).toISOString(),
        to: jumped(0).toISOString(),
      });
      await confirmedAt(jumped(4));
      assert.equal(await clock.jump(jumped(4)), null);
      await clock.note(jumped(5));
      assert.equal(await clock.jump(jumped(6)), null);
      const [confirmed] = (await audit.list({ action: 'clock.confirmed' })).items;
      assert.equal(confirmed?.actor, 'anna');
    });

    it(`is believed again when it was a year ${which} and was put right`, async () => {
      const { clock } = fixture.catalog;
      await clock.note(day(years * 365));
      await clock.note(day(2));
      assert.equal(await clock.jump(day(3)), null);
    });
  }

  it('is believed after a week without a run, and with a few minutes between hosts', async () => {
    const { clock } = fixture.catalog;
    assert.equal(await clock.jump(day(8)), null);
    assert.notEqual(await clock.jump(day(8.01)), null);
    assert.equal(await clock.jump(new Date(day(1).getTime() - 300_000)), null);
    assert.notEqual(await clock.jump(new Date(day(1).getTime() - 301_000)), null);
  });
});
