import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Deployment } from '../../activities/deployment.ts';
import { createNotifySteps } from '../../activities/notify-steps.ts';
import { aConfiguration, withCatalog } from '../catalog/fixture.ts';
import { aChannel } from '../domain/incidents/incident-fixture.ts';
import { slackService, startReceiver, type Receiver } from './notify/fake-receiver.ts';

const HOOK = '/services/T00000000/B00000000/canary-in-the-path';

describe('testing the channels', () => {
  const fixture = withCatalog();
  let folder: string;
  let receiver: Receiver;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-notify-'));
    receiver = await startReceiver(slackService(HOOK));
    const secret = async (name: string, value: string) => {
      const path = join(folder, name);
      await writeFile(path, value, { mode: 0o600 });
      return { kind: 'file' as const, path };
    };
    const notifications = [
      aChannel('chat', { url: await secret('right', `${receiver.url}${HOOK}`) }),
      aChannel('gone', { url: await secret('wrong', `${receiver.url}${HOOK}-gone`) }),
      aChannel('unset', { url: { kind: 'file', path: join(folder, 'absent') } }),
    ];
    await fixture.catalog.configurations.apply(aConfiguration({ notifications }));
  });
  after(async () => {
    await receiver.close();
    await rm(folder, { recursive: true, force: true });
  });

  const steps = () => createNotifySteps({ catalog: fixture.catalog, clock: () => new Date() } as Deployment);

  it('says of each what it answered; one that fails keeps no other from it', async () => {
    const tests = await steps().testChannels({ channel: null, actor: 'alice' });
    assert.deepEqual(
      tests.map(({ channel, accepted, words, error }) => [channel, accepted, words, error?.code ?? null]),
      [
        ['chat', true, '200 ok', null],
        ['gone', false, '', 'channel.misconfigured'],
        ['unset', false, '', 'secret.unresolved'],
      ],
    );
    assert.match(tests[1]?.error?.cause ?? '', /answered 404: no_service/);
    assert.match(receiver.received[0]?.body ?? '', /test message, asked for by alice/);
  });

  it('what failed is known from then on, and forgotten when it works', async () => {
    const failing = async () =>
      (await fixture.catalog.notifications.channels())
        .filter(({ failingSince }) => failingSince !== null)
        .map(({ name }) => name);
    assert.deepEqual(await failing(), ['gone', 'unset']);
    await writeFile(join(folder, 'absent'), `${receiver.url}${HOOK}`, { mode: 0o600 });
    await steps().testChannels({ channel: 'unset', actor: 'alice' });
    assert.deepEqual(await failing(), ['gone']);
  });

  it('a channel that is none is refused with those there are', async () => {
    await assert.rejects(steps().testChannels({ channel: 'absent', actor: 'alice' }), {
      type: 'notFound',
      message: 'there is no notification channel absent',
    });
  });

  it('leaves the secret in no table of the catalogue', async () => {
    const tables = await fixture.sql<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'holdfast'`,
    );
    for (const { name } of tables) {
      const [row] = await fixture.sql<{ found: string }>(
        `select count(*) as found from "${name}" as one where one::text like '%canary-in-the-path%'`,
      );
      assert.equal(Number(row?.found), 0, name);
    }
  });
});
