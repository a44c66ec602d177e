import type { Message } from '../../domain/incidents/message.ts';
import { subjectOf, textOf } from '../../domain/incidents/words.ts';
import { addressOf, post, secretsIn } from './post.ts';
import type { Acceptance } from './send.ts';

/** Slack cuts longer texts. */
const LONGEST_TEXT = 3_000;

/** Slack's incoming webhook, and what speaks like it (Mattermost, Rocket.Chat, Discord's /slack). */
export async function sendSlack(channel: string, address: string, message: Message): Promise<Acceptance> {
  if (message.kind === 'ping') return { words: 'a ping says nothing here' };
  const url = addressOf(channel, address);
  const text = `*${escaped(subjectOf(message))}*\n${escaped(textOf(message))}`;
  return post({
    channel,
    url,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text }),
    secrets: secretsIn(url),
  });
}

/** Slack's three control characters: or a file name could mention the whole channel. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
