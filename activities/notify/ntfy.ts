import type { Severity } from '../../domain/configuration/notification-types.ts';
import { severityOfDrill } from '../../domain/incidents/drill-summary.ts';
import type { Message } from '../../domain/incidents/message.ts';
import { gravestOf, subjectOf, textOf } from '../../domain/incidents/words.ts';
import { addressOf, post, secretsIn } from './post.ts';
import type { Acceptance } from './send.ts';

/** ntfy makes an attachment of what is longer. */
const LONGEST_TEXT_BYTES = 4_000;

/** ntfy takes JSON at the server's root, with the topic inside: so no header has to hold what is not ASCII. */
export async function sendNtfy(
  channel: string,
  secrets: { url: string; token: string | null },
  message: Message,
): Promise<Acceptance> {
  if (message.kind === 'ping') return { words: 'a ping says nothing here' };
  const address = addressOf(channel, secrets.url);
  const folders = address.pathname.split('/').filter(Boolean);
  const topic = folders.pop() ?? '';
  const url = new URL(`${['', ...folders].join('/')}/`, address);
  const over = isGood(message);
  const severity = over ? 'info' : severityOf(message);
  const { username, password } = address;
  url.username = '';
  url.password = '';
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
    'base64',
  );
  const authorization = secrets.token ? `Bearer ${secrets.token}` : username ? `Basic ${basic}` : null;
  return post({
    channel,
    url,
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body: JSON.stringify({
      topic,
      title: subjectOf(message),
      message: cut(textOf(message)),
      priority: PRIORITIES[severity],
      tags: [over ? 'white_check_mark' : TAGS[severity]],
    }),
    secrets: [topic, basic, ...(secrets.token ? [secrets.token] : []), ...secretsIn(address)],
  });
}

function isGood(message: Message): boolean {
  if (message.kind === 'drill') return message.result.outcome === 'passed';
  return message.kind === 'incidents' && message.items.every(({ event }) => event === 'resolved');
}

function severityOf(message: Message): Severity {
  if (message.kind === 'drill') return severityOfDrill(message.result.outcome);
  return message.kind === 'incidents' ? gravestOf(message.items) : 'info';
}

const PRIORITIES: Record<Severity, number> = { info: 3, warning: 3, critical: 4, page: 5 };
const TAGS: Record<Severity, string> = {
  info: 'information_source',
  warning: 'warning',
  critical: 'rotating_light',
  page: 'rotating_light',
};

function cut(text: string): string {
  if (Buffer.byteLength(text) <= LONGEST_TEXT_BYTES) return text;
  return `${Buffer.from(text)
    .subarray(0, LONGEST_TEXT_BYTES)
    .toString('utf8')
    .replace(/\uFFFD$/, '')}…`;
}
