// PagerDuty's Events API v2. What opened together is one alert there (its key is the message it opened in), and
// is resolved when the last of it is over: a storm must not call somebody twenty times.

import type { PagerDutyChannel, Severity } from '../../domain/configuration/notification-types.ts';
import type { IncidentMessage, Message, MessageItem } from '../../domain/incidents/message.ts';
import { gravestOf, subjectOf, textOf } from '../../domain/incidents/words.ts';
import { addressOf, post } from './post.ts';
import type { Acceptance } from './send.ts';

interface AlertEvent {
  event_action: 'trigger' | 'resolve';
  dedup_key: string;
  payload?: { summary: string; source: string; severity: string; timestamp: string; custom_details: object };
}

export async function sendPagerDuty(
  channel: PagerDutyChannel,
  routingKey: string,
  message: Message,
): Promise<Acceptance> {
  const url = new URL('/v2/enqueue', addressOf(channel.name, channel.endpoint));
  let acceptance: Acceptance = { words: 'nothing to say' };
  // One after another: PagerDuty drops a resolve that overtakes its trigger. Each may be sent again.
  for (const event of eventsOf(message)) {
    acceptance = await post({
      channel: channel.name,
      url,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ routing_key: routingKey, client: 'Holdfast', ...event }),
      secrets: [routingKey],
    });
  }
  return acceptance;
}

function eventsOf(message: Message): AlertEvent[] {
  // How a drill ended is told here by its incident, which can be resolved.
  if (message.kind === 'ping' || message.kind === 'drill') return [];
  if (message.kind === 'test') {
    const dedup_key = `holdfast/test/${message.id}`;
    const words = { summary: subjectOf(message), custom_details: { text: textOf(message) } };
    const payload = { ...words, source: 'holdfast', severity: 'info', timestamp: message.createdAt };
    return [
      { event_action: 'trigger', dedup_key, payload },
      { event_action: 'resolve', dedup_key },
    ];
  }
  const open = message.items.filter(({ event }) => event !== 'resolved');
  const threads = [...new Set(open.map(({ thread }) => thread))];
  const ended = message.items.filter(({ event, endsThread }) => event === 'resolved' && endsThread);
  return [
    ...threads.map((thread) =>
      trigger(
        message,
        thread,
        open.filter((item) => item.thread === thread),
      ),
    ),
    ...ended.map(({ thread }) => ({ event_action: 'resolve' as const, dedup_key: keyOf(thread) })),
  ];
}

function trigger(message: IncidentMessage, thread: string, items: MessageItem[]): AlertEvent {
  const about: IncidentMessage = { ...message, items };
  return {
    event_action: 'trigger',
    dedup_key: keyOf(thread),
    payload: {
      summary: subjectOf(about),
      source: items[0]?.asset ?? items[0]?.policies[0] ?? 'holdfast',
      severity: SEVERITIES[gravestOf(items)],
      timestamp: message.createdAt,
      custom_details: { text: textOf(about) },
    },
  };
}

const SEVERITIES: Record<Severity, string> = {
  info: 'info',
  warning: 'warning',
  critical: 'error',
  page: 'critical',
};

function keyOf(thread: string): string {
  return `holdfast/${thread}`;
}
