import type { Message } from '../../domain/incidents/message.ts';
import { addressOf, post, secretsIn } from './post.ts';
import type { Acceptance } from './send.ts';

/**
 * A ping to healthchecks.io or what speaks like it: it raises the alarm when these stay away, so it also notices
 * that this whole machine is gone. A test only writes into the check's log.
 */
export async function sendHealthchecks(
  channel: string,
  address: string,
  message: Message,
): Promise<Acceptance> {
  if (message.kind === 'incidents' || message.kind === 'drill') return { words: 'only pings are sent here' };
  const check = addressOf(channel, address);
  const url = new URL(check);
  const signal =
    message.kind === 'test' ? '/log' : { start: '/start', success: '', fail: '/fail' }[message.signal];
  url.pathname = `${check.pathname.replace(/\/$/, '')}${signal}`;
  // Pairs a start with its end.
  if (message.kind === 'ping') url.searchParams.set('rid', message.jobId);
  const words =
    message.kind === 'test'
      ? 'Holdfast test message: nothing is wrong'
      : `${message.jobType} of policy ${message.policy}: ${message.words}`;
  return post({
    channel,
    url,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: words,
    secrets: [...secretsIn(url), ...secretsIn(check)],
  });
}
