// One message to one channel. Resolves the channel's secrets, says what the channel answered, and throws
// `channel.unreachable`, `channel.refused`, `channel.misconfigured` or `secret.unresolved`: never with a secret.

import type { NotificationChannel } from '../../domain/configuration/notification-types.ts';
import type { Message } from '../../domain/incidents/message.ts';
import { sendHealthchecks } from './healthchecks.ts';
import { sendNtfy } from './ntfy.ts';
import { sendPagerDuty } from './pagerduty.ts';
import { sendSlack } from './slack.ts';
import { sendSmtp } from './smtp.ts';
import { sendWebhook } from './webhook.ts';
import { resolveSecret } from '../secrets.ts';

/** What the other side said when it took the message. */
export interface Acceptance {
  words: string;
}

export type Send = (channel: NotificationChannel, message: Message, now: Date) => Promise<Acceptance>;

export const sendMessage: Send = async (channel, message, now) => {
  switch (channel.type) {
    case 'smtp':
      return sendSmtp(channel, await resolveSecret(channel.url), message);
    case 'webhook': {
      const secrets = { url: await resolveSecret(channel.url), secret: await resolveSecret(channel.secret) };
      return sendWebhook(channel.name, secrets, message, now);
    }
    case 'slack':
      return sendSlack(channel.name, await resolveSecret(channel.url), message);
    case 'ntfy': {
      const token = channel.token && (await resolveSecret(channel.token));
      return sendNtfy(channel.name, { url: await resolveSecret(channel.url), token }, message);
    }
    case 'pagerduty':
      return sendPagerDuty(channel, await resolveSecret(channel.routingKey), message);
    case 'healthchecks':
      return sendHealthchecks(channel.name, await resolveSecret(channel.url), message);
  }
};
