// A signed webhook. The body is the same in every attempt; the signature covers the time it was sent at, so that
// what was caught on the way cannot be played again later. docs/alerts.md says how to check it.

import { createHmac } from 'node:crypto';
import type { Message, MessageItem } from '../../domain/incidents/message.ts';
import { addressOf, post, secretsIn } from './post.ts';
import type { Acceptance } from './send.ts';

export async function sendWebhook(
  channel: string,
  secrets: { url: string; secret: string },
  message: Message,
  now: Date,
): Promise<Acceptance> {
  const url = addressOf(channel, secrets.url);
  const body = JSON.stringify(payload(message));
  const timestamp = String(Math.floor(now.getTime() / 1000));
  return post({
    channel,
    url,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'holdfast',
      'holdfast-delivery': message.id,
      'holdfast-timestamp': timestamp,
      'holdfast-signature': `v1=${signature(secrets.secret, timestamp, body)}`,
    },
    body,
    secrets: [secrets.secret, ...secretsIn(url)],
  });
}

function signature(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}

/** Part of the contract: fields are added, none is taken away or changes its meaning within a version. */
function payload(message: Message) {
  const common = { version: 1, id: message.id, type: message.kind, createdAt: message.createdAt };
  const incidents = message.kind === 'incidents' ? message.items.map(incident) : [];
  return { ...common, incidents, ...(message.kind === 'drill' && { drill: message.result }) };
}

function incident(item: MessageItem) {
  const { id, key, event, severity, topic, policies, asset, title, reason, next, openedAt, resolvedAt } =
    item;
  return { id, key, event, severity, topic, policies, asset, title, reason, next, openedAt, resolvedAt };
}
