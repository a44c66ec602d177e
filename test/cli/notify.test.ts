import assert from 'node:assert/strict';
import { sampleFigures } from '../api/sample-status.ts';
import { sampleIncident } from '../api/services-double.ts';
import { openSite, type Site } from './command-line.ts';

describe('holdfast notify and incidents', function () {
  this.timeout(180_000);
  let site: Site;
  before(async () => (site = await openSite()));
  after(() => site.close());

  const taken = { channel: 'ops', type: 'smtp', accepted: true, words: '250 queued as 7', error: null };
  const error = {
    code: 'channel.misconfigured',
    message: 'telling chat failed',
    cause: 'the channel answered 404: no_service',
    hint: 'check the secret and the address of the channel',
  };
  const refused = { channel: 'chat', type: 'slack', accepted: false, words: '', error };

  it('notify test shows what each channel answered, and is 0 only when each took it', async () => {
    site.services.tests = [taken];
    const well = await site.run('notify', 'test');
    assert.equal(well.code, 0, well.stderr);
    assert.match(well.stdout, /^ops +smtp +yes +250 queued as 7$/m);

    site.services.tests = [taken, refused];
    const badly = await site.run('notify', 'test');
    assert.equal(badly.code, 1);
    assert.match(badly.stdout, /^chat +slack +no +the channel answered 404: no_service$/m);
    assert.match(badly.stderr, /was not taken by chat\n +cause: chat: the channel answered 404/);

    const json = await site.run('notify', 'test', 'chat', '--json');
    assert.equal(json.code, 1);
    assert.deepEqual(json.json.items, [refused]);
    assert.equal(json.json.error?.code, 'channel.misconfigured');
    assert.deepEqual(site.services.calls.at(-1)?.arguments[1], 'chat');
  });

  it('incidents list shows what is open with its cause and the next step; with --all what is over, too', async () => {
    const over = {
      ...sampleIncident,
      id: 'i-0',
      title: 'an old one',
      resolvedAt: '2026-11-20T11:00:00.000Z',
    };
    site.services.incidents = [sampleIncident, over];
    const { stdout } = await site.run('incidents', 'list');
    assert.match(stdout, /^i-1 +critical +policy critical is overdue: no backup of it has started, since /);
    assert.match(stdout, /cause: the last one started 3 d ago\n +next: +`holdfast backup run critical`/);
    assert.doesNotMatch(stdout, /an old one/);
    assert.match(
      (await site.run('incidents', 'list', '--all')).stdout,
      /i-0 +resolved +an old one, since .*, over /,
    );
    site.services.incidents = [];
    assert.equal((await site.run('incidents', 'list')).stdout, 'no open incidents\n');
  });

  it('status counts open incidents, and names a channel that takes nothing', async () => {
    const { assets, ...report } = site.services.report;
    const asset = {
      asset: 'uploads',
      policy: 'daily',
      health: 'ok' as const,
      rpo: { objectiveSeconds: null, actualSeconds: 60, verifiedSeconds: 60 },
      rto: { objectiveSeconds: null, measuredSeconds: null },
      protectedUntil: '2026-11-20T10:00:00.000Z',
      provenUntil: null,
      damagedNewest: null,
      lastProvenAt: null,
      lastJob: null,
      nextRunAt: null,
      breaches: [],
      reason: '',
      next: '',
      backups: { succeeded: 1, failed: 0 },
      copies: [],
      paused: null,
      ...sampleFigures(),
    };
    site.services.report = {
      ...report,
      assets: [...assets, asset],
      channels: [
        { name: 'ops', type: 'smtp', health: 'warning', reason: 'takes no messages since then: 535' },
      ],
      incidents: { open: 3, critical: 1 },
    };
    const { stdout } = await site.run('status');
    assert.match(stdout, /\nops is warning: takes no messages since then: 535\n/);
    assert.match(stdout, /\n3 open incidents \(1 critical\): `holdfast incidents list`\n$/);
  });
});
