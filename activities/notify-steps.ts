import { randomUUID } from 'node:crypto';
import type { NotificationChannel } from '../domain/configuration/notification-types.ts';
import { asHoldfastError, HoldfastError } from '../domain/errors.ts';
import { asFailure } from './activity-step.ts';
import type { ChannelTest, NotifyActivities } from './contract.ts';
import type { Deployment } from './deployment.ts';
import { sendMessage } from './notify/send.ts';

/** The steps that speak to the channels while somebody waits; incidents are told by workers/watch-incidents.ts. */
export function createNotifySteps(deployment: Deployment): NotifyActivities {
  return {
    testChannels: async (input) => {
      try {
        const channels = await channelsNamed(deployment, input.channel);
        return await Promise.all(channels.map((channel) => test(deployment, channel, input.actor)));
      } catch (error) {
        throw asFailure(error, 'testing the notification channels failed');
      }
    },
  };
}

async function test(
  { catalog, clock }: Deployment,
  channel: NotificationChannel,
  actor: string,
): Promise<ChannelTest> {
  const { name, type } = channel;
  const now = clock();
  const message = { kind: 'test' as const, id: randomUUID(), createdAt: now.toISOString(), by: actor };
  try {
    const { words } = await sendMessage(channel, message, now);
    await catalog.notifications.tested(name, null, clock());
    return { channel: name, type, accepted: true, words, error: null };
  } catch (thrown) {
    const error = asHoldfastError(thrown, `telling ${name} failed`).toContract();
    await catalog.notifications.tested(name, error, clock());
    return { channel: name, type, accepted: false, words: '', error };
  }
}

async function channelsNamed({ catalog }: Deployment, name: string | null): Promise<NotificationChannel[]> {
  const { notifications = [] } = (await catalog.configurations.current())?.configuration ?? {};
  const channels = notifications.filter((channel) => name === null || channel.name === name);
  if (channels.length > 0) return channels;
  const names = notifications.map((channel) => channel.name).join(', ');
  throw new HoldfastError({
    code: 'notFound',
    message: name === null ? 'there is no notification channel' : `there is no notification channel ${name}`,
    cause: names ? `the applied configuration has ${names}` : 'the applied configuration has none',
    hint: 'add it under notifications, then run `holdfast apply`',
  });
}
