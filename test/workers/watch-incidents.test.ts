import assert from 'node:assert/strict';
import type { Send } from '../../activities/notify/send.ts';
import { openCatalog } from '../../catalog/index.ts';
import type { NotificationChannel } from '../../domain/configuration/notification-types.ts';
import { HoldfastError, type FailureCode } from '../../domain/errors.ts';
import { GIVE_UP_AFTER_SECONDS } from '../../domain/incidents/retry.ts';
import { watchIncidents, watchOn, type Watch } from '../../workers/watch-incidents.ts';
import { aConfiguration, aJob, withCatalog } from '../catalog/fixture.ts';
import { aChannel } from '../domain/incidents/incident-fixture.ts';
import { until } from '../fixtures/until.ts';

const HOUR = 3_600_000;
const failure = {
  code: 'tool.failed',
  message: 'snapshot failed',
  cause: 'disk on fire',
  hint: 'put it out',
};

describe('watching for incidents', () => {
  const fixture = withCatalog();
  /** Just now, so that nothing is overdue; the catalogue says by its own clock when a policy was applied. */
  let now: Date;
  let sent: string[];
  let send: Send;

  beforeEach(async () => {
    now = new Date();
    sent = [];
    send = taking;
    await fixture.sql(
      'truncate jobs, job_assets, incidents, notification_messages, notification_channels restart identity cascade',
    );
  });

  const taking: Send = async ({ name }, message) => {
    if (message.kind === 'incidents')
      sent.push(`${name}: ${message.items.map(({ event, key }) => `${event} ${key}`).join(', ')}`);
    if (message.kind === 'ping') sent.push(`${name}: ${message.signal} ${message.policy}`);
    return { words: 'ok' };
  };
  const refusing = (code: FailureCode): Promise<never> =>
    Promise.reject(new HoldfastError({ code, message: 'telling failed', cause: '500 oops', hint: 'wait' }));

  const watch = (): Watch => ({
    catalog: fixture.catalog,
    send: (channel, message, at) => send(channel, message, at),
    now: () => now,
    random: () => 0.5,
  });
  async function pass(secondsLater = 0): Promise<string[]> {
    now = new Date(now.getTime() + secondsLater * 1000);
    sent = [];
    await watchIncidents(watch());
    return sent;
  }
  async function apply(...notifications: NotificationChannel[]): Promise<void> {
    await fixture.catalog.configurations.apply(aConfiguration({ notifications }));
  }
  async function aBackup(ended: Record<string, 'success' | 'failed'>, hoursAgo = 1): Promise<string> {
    const { jobs } = fixture.catalog;
    const startedAt = new Date(now.getTime() - hoursAgo * HOUR).toISOString();
    const { id } = await jobs.begin(aJob({ policy: 'critical', startedAt, assets: Object.keys(ended) }));
    for (const [asset, status] of Object.entries(ended))
      await jobs.setAsset(id, asset, { status, error: status === 'failed' ? failure : null });
    const failed = Object.values(ended).filter((status) => status === 'failed').length;
    await jobs.end(id, {
      status: failed === 0 ? 'success' : failed === Object.keys(ended).length ? 'failed' : 'warning',
      endedAt: startedAt,
    });
    return id;
  }

  it('tells of a backup that failed, and when the next one did not', async () => {
    await apply(aChannel('ops'), aChannel('dev'));
    await aBackup({ orders: 'failed', uploads: 'failed' }, 3);
    const opened = 'opened policy/critical/orders/backup, opened policy/critical/uploads/backup';
    assert.deepEqual((await pass()).sort(), [`dev: ${opened}`, `ops: ${opened}`]);
    assert.deepEqual(await pass(15), []);
    await aBackup({ orders: 'success' }, 2);
    assert.deepEqual((await pass(400)).sort(), [
      'dev: resolved policy/critical/orders/backup',
      'ops: resolved policy/critical/orders/backup',
    ]);
    const { items } = await fixture.catalog.incidents.list({ all: true });
    assert.deepEqual(
      items.map(({ id, asset, resolvedAt }) => [id, asset, resolvedAt !== null]),
      [
        ['i-2', 'uploads', false],
        ['i-1', 'orders', true],
      ],
    );
    assert.equal(items[0]?.reason, 'snapshot failed: disk on fire');
    assert.deepEqual(await fixture.catalog.incidents.count(), { open: 1, critical: 1 });
    assert.deepEqual((await fixture.catalog.incidents.list()).items.length, 1);
  });

  it('a failure stands while the next backup runs, and after one that was cancelled', async () => {
    await apply(aChannel('ops'));
    await aBackup({ orders: 'failed' }, 3);
    await pass();
    const startedAt = now.toISOString();
    const { id } = await fixture.catalog.jobs.begin(aJob({ policy: 'critical', startedAt }));
    assert.deepEqual(await pass(600), []);
    await fixture.catalog.jobs.end(id, { status: 'cancelled' });
    assert.deepEqual(await pass(600), []);
    const open = (await fixture.catalog.incidents.list()).items.map(
      ({ key, severity }) => `${key} ${severity}`,
    );
    assert.deepEqual(open, ['policy/critical/backup info', 'policy/critical/orders/backup critical']);
  });

  it('says that nothing ran, and that it does again', async () => {
    await apply(aChannel('ops'));
    await aBackup({ orders: 'success', uploads: 'success' }, 2);
    assert.deepEqual(await pass(), []);
    assert.deepEqual(await pass(48 * 3600), ['ops: opened policy/critical/overdue']);
    await aBackup({ orders: 'success', uploads: 'success' }, 0);
    assert.deepEqual(await pass(600), ['ops: resolved policy/critical/overdue']);
  });

  it('puts opening, escalation and end on the audit chain, in the transaction that makes them', async () => {
    await apply(aChannel('ops'));
    await aBackup({ orders: 'failed' }, 3);
    await pass();
    await aBackup({ orders: 'success' }, 2);
    await pass(400);
    const { items } = await fixture.catalog.audit.list({ subject: 'incident/i-1' });
    assert.deepEqual(
      items.slice(0, 2).map(({ action }) => action),
      ['incident.resolved', 'incident.opened'],
    );
    assert.equal((await fixture.catalog.audit.verify()).ok, true);
  });

  it('two workers tell it once', async () => {
    await apply(aChannel('ops'));
    await aBackup({ orders: 'failed' }, 3);
    const other = await openCatalog({ url: fixture.applicationUrl });
    try {
      const both = [watch(), { ...watch(), catalog: other }];
      for (let round = 0; round < 5; round += 1) await Promise.all(both.map(watchIncidents));
    } finally {
      await other.close();
    }
    assert.deepEqual(sent, ['ops: opened policy/critical/orders/backup']);
    assert.equal((await fixture.catalog.incidents.list({ all: true })).items.length, 1);
  });

  it('a channel that is down is tried again later, in order, and the others hear of it', async () => {
    await apply(aChannel('broken'), aChannel('ops'));
    const ids = new Set<string>();
    let attempts = 0;
    send = async (channel, message, at) => {
      if (channel.name !== 'broken') return taking(channel, message, at);
      attempts += 1;
      ids.add(message.id);
      return refusing('channel.unreachable');
    };
    await aBackup({ orders: 'failed' }, 3);
    assert.deepEqual(await pass(), ['ops: opened policy/critical/orders/backup']);
    assert.deepEqual(await pass(5), []);
    assert.equal(attempts, 1, 'not before its pause is over');
    await pass(15);
    assert.deepEqual(await pass(60), []);
    assert.equal(attempts, 3);
    assert.deepEqual([...ids].length, 1, 'each attempt has the same id');
    assert.deepEqual(await pass(5), ['ops: opened channel/broken']);
    const state = (await fixture.catalog.notifications.channels()).find(({ name }) => name === 'broken');
    assert.equal(state?.error?.cause, '500 oops');

    send = taking;
    await aBackup({ orders: 'success' }, 2);
    const back = [...(await pass(400)), ...(await pass(400))];
    assert.deepEqual(
      back.filter((line) => line.startsWith('broken')),
      ['broken: opened policy/critical/orders/backup', 'broken: resolved policy/critical/orders/backup'],
    );
    assert.ok(back.some((line) => line.startsWith('ops') && line.includes('resolved channel/broken')));
  });

  it('a wrong secret is told at once, not after the third attempt', async () => {
    await apply(aChannel('broken'), aChannel('ops'));
    send = async (channel, message, at) =>
      channel.name === 'broken' ? refusing('secret.unresolved') : taking(channel, message, at);
    await aBackup({ orders: 'failed' }, 3);
    await pass();
    assert.deepEqual(await pass(1), ['ops: opened channel/broken']);
  });

  it('a message that is not taken as it is blocks no other', async () => {
    await apply(aChannel('ops'));
    let first = true;
    send = async (channel, message, at) => {
      const refuse = first;
      first = false;
      return refuse ? refusing('channel.refused') : taking(channel, message, at);
    };
    await aBackup({ orders: 'failed' }, 3);
    assert.deepEqual(await pass(), []);
    await aBackup({ orders: 'success' }, 2);
    assert.deepEqual(await pass(400), ['ops: resolved policy/critical/orders/backup']);
    const { items } = await fixture.catalog.audit.list({ action: 'notification.refused' });
    assert.equal(items.length, 1);
  });

  it('gives a message up after days, and says so on the audit chain', async () => {
    await apply(aChannel('ops', { severity: 'critical' }));
    send = () => refusing('channel.unreachable');
    await aBackup({ orders: 'failed' }, 3);
    await pass();
    await pass(GIVE_UP_AFTER_SECONDS + 60);
    const rows = await fixture.sql('select outcome from notification_messages order by sequence limit 1');
    assert.deepEqual(rows, [{ outcome: 'givenUp' }]);
    assert.equal((await fixture.catalog.audit.list({ action: 'notification.givenUp' })).items.length, 1);
  });

  it('a channel that hangs delays nobody else', async () => {
    await apply(aChannel('hanging'), aChannel('ops'));
    let letGo = (): void => undefined;
    const hanging = new Promise<{ words: string }>((resolve) => (letGo = () => resolve({ words: '' })));
    send = (channel, message, at) => (channel.name === 'hanging' ? hanging : taking(channel, message, at));
    await aBackup({ orders: 'failed' }, 3);
    const watching = watchOn(watch(), (error) => assert.fail(String(error)), 20);
    try {
      await until('the other channel was told', () => sent.length === 1, 30);
      await aBackup({ orders: 'success' }, 2);
      now = new Date(now.getTime() + 400_000);
      await until('and told again while the first still hangs', () => sent.length === 2, 30);
    } finally {
      letGo();
      await watching.stop();
    }
  });

  it('pings a check at the start and the end of each run, and lets an old ping go', async () => {
    const check: NotificationChannel = {
      name: 'check',
      type: 'healthchecks',
      url: { kind: 'env', name: 'NOWHERE' },
      on: [],
      severity: 'info',
      policies: ['critical'],
      remindEverySeconds: null,
    };
    await apply(check, aChannel('ops'));
    now = new Date(Date.now() + 1000);
    await aBackup({ orders: 'success' }, 2);
    assert.deepEqual(await pass(), [], 'not of what was before the channel');
    const run = { policy: 'critical', assets: [] };
    const first = await fixture.catalog.jobs.begin(aJob({ ...run, startedAt: now.toISOString() }));
    assert.deepEqual(await pass(15), ['check: start critical']);
    assert.deepEqual(await pass(15), []);
    await fixture.catalog.jobs.end(first.id, { status: 'success', endedAt: now.toISOString() });
    send = () => refusing('channel.unreachable');
    await pass(15);
    const second = await fixture.catalog.jobs.begin(aJob({ ...run, startedAt: now.toISOString() }));
    await fixture.catalog.jobs.end(second.id, {
      status: 'failed',
      endedAt: now.toISOString(),
      error: failure,
    });
    send = taking;
    assert.deepEqual(
      (await pass(60)).filter((line) => line.startsWith('check')),
      ['check: fail critical'],
    );
  });

  it('says that the catalogue is away, and goes on when it is back', async () => {
    await apply(aChannel('ops'));
    await aBackup({ orders: 'failed' }, 3);
    const away = await openCatalog({ url: fixture.applicationUrl });
    await away.close();
    const errors: unknown[] = [];
    const catalogs = { now: away };
    const flaky: Watch = {
      ...watch(),
      get catalog() {
        return catalogs.now;
      },
    };
    const watching = watchOn(flaky, (error) => errors.push(error), 20);
    try {
      await until('it was said', () => errors.length > 0, 30);
      catalogs.now = fixture.catalog;
      await until('it went on', () => sent.length === 1, 30);
    } finally {
      await watching.stop();
    }
  });
});
