import assert from 'node:assert/strict';
import { assertRefused, policy, read } from './written.ts';

const verification = (block: string) => policy(`every: 24h, repository: local, verification: ${block}`);
const taken = (block: string) => read(verification(block)).configuration.policies[0]?.verification;
const DAY = 86_400;

describe('verification of a policy', () => {
  it('is none unless it is written', () => {
    assert.equal(read(policy('every: 24h, repository: local')).configuration.policies[0]?.verification, null);
  });

  it('reads everything within 30 days, daily, where nothing else is said', () => {
    assert.deepEqual(taken('{}'), {
      cadence: { kind: 'every', seconds: DAY },
      readShare: null,
      withinSeconds: 30 * DAY,
      rehearseSeconds: null,
    });
  });

  it('takes what is written', () => {
    assert.deepEqual(taken('{ cron: "0 3 * * *", readData: 5%, within: 20d, rehearse: 7d }'), {
      cadence: { kind: 'cron', expression: '0 3 * * *' },
      readShare: 0.05,
      withinSeconds: 20 * DAY,
      rehearseSeconds: 7 * DAY,
    });
  });

  it('refuses a share its runs cannot read everything with, and does the arithmetic', () => {
    assertRefused(verification('{ readData: §3% }'), {
      path: 'policies[0].verification.readData',
      says: /^3% every 1d reads everything in 34d, not within 30d$/,
      fix: /^write 3\.4% or more, within: 34d or longer/,
    });
    assertRefused(verification('{ cron: "0 3 * * 1", readData: §10%, within: 60d }'), {
      says: /^10% every 7d reads everything in 70d, not within 60d$/,
    });
    assert.equal(taken('{ readData: 3.4% }')?.readShare, 0.034, 'what the message advises is taken');
  });

  it('refuses a period shorter than a run, also one of the defaults', () => {
    assertRefused(verification('{ within: §12h }'), {
      says: /within 12h: from one run to the next it takes 1d/,
    });
    assertRefused(verification('§{ every: 60d }'), { says: /within 30d: .* 60d/ });
  });

  it('refuses rehearsals more often than runs', () => {
    assertRefused(verification('{ every: 24h, rehearse: §6h }'), {
      says: /every 6h by runs that are up to 1d apart/,
    });
  });

  it('refuses a share that is none, and one restic cannot divide by', () => {
    assertRefused(verification('{ readData: §0% }'), { says: /not a share/ });
    assertRefused(verification('{ readData: §101% }'), { says: /not a share/ });
    assertRefused(verification('{ readData: §0.05 }'), { says: /expected a share, found a number/ });
    assertRefused(verification('{ every: 1h, readData: §0.3% }'), { says: /256 parts at most/ });
  });

  it('refuses every beside cron', () => {
    assertRefused(verification('{ every: 24h, §cron: "0 3 * * *" }'), { says: /both every and cron/ });
  });
});
