import assert from 'node:assert/strict';
import { play, timeSkippingServer, freshClock } from './time-skipping.ts';

describe('a scheduled run with a window', () => {
  before(freshClock);

  for (const workflow of ['retention', 'verifyCadence']) {
    it(`begins ${workflow} when it opens, and nothing before`, async () => {
      const environment = await timeSkippingServer();
      const now = await environment.currentTimeMs();
      // Opens in two to three hours.
      const fromSeconds = ((Math.floor(now / 3_600_000) + 3) * 3600) % 86_400;
      const window = { fromSeconds, toSeconds: (fromSeconds + 1800) % 86_400, days: null };
      const playing = await play(
        workflow,
        { policy: 'critical', trigger: 'schedule', actor: 'schedule', window },
        workflow === 'verifyCadence'
          ? { planVerification: async () => ({ repositories: [], rehearsals: [] }) }
          : {},
      );
      await playing.ending();
      const [begun] = playing.of('beginJob');
      const opened = new Date(begun?.askedAt ?? 0);
      assert.ok(opened.getTime() >= now + 2 * 3_600_000 - 60_000, opened.toISOString());
      assert.equal(opened.getUTCHours() * 3600 + opened.getUTCMinutes() * 60, fromSeconds);
      assert.equal(playing.calls[0]?.name, 'beginJob');
    });
  }
});
