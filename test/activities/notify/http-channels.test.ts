import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { post } from '../../../activities/notify/post.ts';
import { sendMessage } from '../../../activities/notify/send.ts';
import type { NotificationChannel } from '../../../domain/configuration/notification-types.ts';
import { HoldfastError } from '../../../domain/errors.ts';
import type { Message } from '../../../domain/incidents/message.ts';
import {
  healthchecksService,
  ntfyService,
  pagerDutyService,
  slackService,
  startReceiver,
  webhookService,
  type Alerts,
  type Receiver,
} from './fake-receiver.ts';
import { anItem, aPing, aTest, incidents } from './messages.ts';

// Names are the secrets themselves, so that a leak shows which.
const SECRET = 'canary-9f2c-signing-secret';
const TOPIC = 'canary-topic-77aa';
const CHECK = '5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278';
const HOOK = '/services/T00000000/B00000000/canaryXXXXXXXX';
const NOW = new Date('2026-11-20T02:00:05Z');
const ID = '11111111-1111-4111-8111-111111111111';

type ByType<Type> = Extract<NotificationChannel, { type: Type }>;
const told = { on: [], severity: 'info' as const, policies: [], remindEverySeconds: null };

describe('channels over HTTP', () => {
  let folder: string;
  let receiver: Receiver;
  const alerts: Alerts = { open: new Map() };

  before(async () => (folder = await mkdtemp(join(tmpdir(), 'holdfast-notify-'))));
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(() => receiver.close());

  async function secret(name: string, value: string) {
    const path = join(folder, name);
    await writeFile(path, value, { mode: 0o600 });
    return { kind: 'file' as const, path };
  }

  const setups: Record<string, (base?: string) => Promise<NotificationChannel>> = {
    webhook: async (base) => {
      receiver = await startReceiver(webhookService(SECRET, () => NOW.getTime()));
      const url = await secret('url', `${base ?? receiver.url}/hooks/canary-path-1234`);
      const channel: ByType<'webhook'> = {
        ...told,
        name: 'hook',
        type: 'webhook',
        url,
        secret: await secret('s', SECRET),
      };
      return channel;
    },
    slack: async (base) => {
      receiver = await startReceiver(slackService(HOOK));
      return {
        ...told,
        name: 'chat',
        type: 'slack',
        url: await secret('url', `${base ?? receiver.url}${HOOK}`),
      };
    },
    ntfy: async (base) => {
      receiver = await startReceiver(ntfyService(TOPIC, SECRET));
      const url = await secret('url', `${base ?? receiver.url}/${TOPIC}`);
      return { ...told, name: 'phone', type: 'ntfy', url, token: await secret('s', SECRET) };
    },
    pagerduty: async (base) => {
      alerts.open.clear();
      receiver = await startReceiver(pagerDutyService(SECRET, alerts));
      const routingKey = await secret('s', SECRET);
      return { ...told, name: 'pager', type: 'pagerduty', routingKey, endpoint: base ?? receiver.url };
    },
    healthchecks: async (base) => {
      receiver = await startReceiver(healthchecksService(CHECK));
      return {
        ...told,
        name: 'check',
        type: 'healthchecks',
        url: await secret('url', `${base ?? receiver.url}/${CHECK}`),
      };
    },
  };

  async function refusalOf(channel: NotificationChannel, message: Message): Promise<HoldfastError> {
    const error: unknown = await sendMessage(channel, message, NOW).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof HoldfastError, String(error));
    for (const text of [error.message, error.cause, error.hint, error.stack ?? ''])
      for (const canary of [SECRET, TOPIC, CHECK, HOOK, 'canary-path-1234'])
        assert.ok(!text.includes(canary), text);
    return error;
  }

  for (const [type, setUp] of Object.entries(setups)) {
    describe(type, () => {
      const message: Message = type === 'healthchecks' ? aPing('fail') : incidents(ID, anItem());

      it('takes a message, and the test message', async () => {
        const channel = await setUp();
        assert.match((await sendMessage(channel, message, NOW)).words, /^2\d\d/);
        assert.match((await sendMessage(channel, aTest, NOW)).words, /^2\d\d/);
        assert.ok(receiver.received.length >= 2);
      });

      const answers: [status: number, code: string][] = [
        [500, 'channel.unreachable'],
        [503, 'channel.unreachable'],
        [429, 'channel.unreachable'],
        [400, 'channel.refused'],
        [401, 'channel.misconfigured'],
        [404, 'channel.misconfigured'],
      ];
      it("says whether trying again can help, in the other side's own words without the secret", async () => {
        const channel = await setUp();
        for (const [status, code] of answers) {
          receiver.answer = (request, response) =>
            response
              .writeHead(status)
              .end(
                `went wrong: ${request.path} ${JSON.stringify(request.headers)} ${request.body} ${SECRET}`,
              );
          const error = await refusalOf(channel, message);
          assert.equal(error.code, code, String(status));
          assert.match(error.cause, new RegExp(`answered ${status}: went wrong`));
          assert.ok(error.cause.length < 400);
        }
      });

      it('follows no redirect', async () => {
        const channel = await setUp();
        const elsewhere = await startReceiver(() => ({ status: 200, body: '' }));
        receiver.answer = (_, response) => response.writeHead(307, { location: `${elsewhere.url}/` }).end();
        assert.equal((await refusalOf(channel, message)).code, 'channel.misconfigured');
        assert.deepEqual(elsewhere.received, []);
        await elsewhere.close();
      });

      it('says when nobody listens', async () => {
        const channel = await setUp();
        await receiver.close();
        const error = await refusalOf(channel, message);
        assert.equal(error.code, 'channel.unreachable');
        assert.match(error.cause, /ECONNREFUSED/);
      });

      it('sends nothing in plain off this machine', async () => {
        const error = await refusalOf(await setUp('http://192.0.2.1:9'), message);
        assert.equal(error.code, 'channel.misconfigured');
        assert.match(error.cause, /in plain/);
      });
    });
  }

  it('a channel that hangs, or drips without end, is given up', async () => {
    receiver = await startReceiver(() => ({ status: 200, body: '' }));
    const request = {
      channel: 'hook',
      url: new URL(receiver.url),
      headers: {},
      body: '',
      secrets: [],
      milliseconds: 200,
    };
    receiver.answer = () => undefined;
    await assert.rejects(post(request), { code: 'channel.unreachable', cause: 'no answer within 0.2 s' });
    receiver.answer = (_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drip));
    };
    await assert.rejects(post(request), { code: 'channel.unreachable' });
  });

  it('webhook: a body that was changed, or is played again later, does not pass the check', async () => {
    const channel = await setups['webhook']!();
    await sendMessage(channel, incidents(ID, anItem()), NOW);
    const [sent] = receiver.received;
    assert.ok(sent);
    const check = webhookService(SECRET, () => NOW.getTime());
    assert.equal(check(sent).status, 204);
    assert.equal(check({ ...sent, body: sent.body.replace('orders', 'ordres') }).status, 401);
    assert.equal(webhookService(SECRET, () => NOW.getTime() + 600_000)(sent).status, 401);
  });

  it('webhook: every attempt has the same id and body', async () => {
    const channel = await setups['webhook']!();
    const later = new Date(NOW.getTime() + 60_000);
    for (const at of [NOW, later]) await sendMessage(channel, incidents(ID, anItem()), at);
    const [first, second] = receiver.received;
    assert.equal(first?.headers['holdfast-delivery'], ID);
    assert.equal(second?.headers['holdfast-delivery'], ID);
    assert.equal(first?.body, second?.body);
    const payload = JSON.parse(first?.body ?? '') as Record<string, unknown>;
    assert.deepEqual(Object.keys(payload), ['version', 'id', 'type', 'createdAt', 'incidents']);
    assert.deepEqual(Object.keys((payload['incidents'] as object[])[0] ?? {}), [
      'id',
      'key',
      'event',
      'severity',
      'topic',
      'policies',
      'asset',
      'title',
      'reason',
      'next',
      'openedAt',
      'resolvedAt',
    ]);
  });

  it('slack: what a tool printed mentions nobody', async () => {
    await sendMessage(await setups['slack']!(), incidents(ID, anItem()), NOW);
    const { text } = JSON.parse(receiver.received[0]?.body ?? '') as { text: string };
    assert.match(text, /könnte &lt;!channel&gt; &amp; mehr/);
  });

  it('pagerduty: one alert for what opened together, resolved with the last of it', async () => {
    const channel = await setups['pagerduty']!();
    const storm = Array.from({ length: 50 }, (_, n) => anItem({ id: `i-${n}` }));
    await sendMessage(channel, incidents(ID, ...storm), NOW);
    await sendMessage(channel, incidents(ID, ...storm), NOW);
    assert.deepEqual([...alerts.open], [[`holdfast/${ID}`, 'Holdfast: 50 opened (50 page)']]);
    const over = anItem({ event: 'resolved', resolvedAt: '2026-11-20T03:00:00.000Z' });
    await sendMessage(channel, incidents('55555555-5555-4555-8555-555555555555', over), NOW);
    assert.equal(alerts.open.size, 1);
    await sendMessage(
      channel,
      incidents('66666666-6666-4666-8666-666666666666', { ...over, endsThread: true }),
      NOW,
    );
    assert.equal(alerts.open.size, 0);
  });

  it('pagerduty: a test leaves nothing open', async () => {
    await sendMessage(await setups['pagerduty']!(), aTest, NOW);
    assert.equal(alerts.open.size, 0);
    assert.equal(receiver.received.length, 2);
  });

  it('healthchecks: start, success and fail of one run, and a test that changes nothing', async () => {
    const channel = await setups['healthchecks']!();
    for (const signal of ['start', 'success', 'fail'] as const)
      await sendMessage(channel, aPing(signal), NOW);
    await sendMessage(channel, aTest, NOW);
    const run = '?rid=44444444-4444-4444-8444-444444444444';
    assert.deepEqual(
      receiver.received.map(({ path }) => path),
      [`/${CHECK}/start${run}`, `/${CHECK}${run}`, `/${CHECK}/fail${run}`, `/${CHECK}/log`],
    );
  });
});
