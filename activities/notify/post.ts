// One HTTP request to a channel, bounded in time and in what is read of the answer. Follows no redirect: what is
// said here is for the address that was configured, and nobody else. No error shows a secret.

import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import { MASKED } from '../../domain/secret-reference.ts';
import type { Acceptance } from './send.ts';

export const TIMEOUT_MILLISECONDS = 15_000;
const LONGEST_ANSWER_BYTES = 4_096;
const LONGEST_WORDS = 300;

export interface Post {
  channel: string;
  url: URL;
  headers: Record<string, string>;
  body: string;
  /** Never in an error: tokens, and the address where it is one. */
  secrets: readonly string[];
  /** Where taken for read by the caller's own rules; 2xx otherwise. */
  milliseconds?: number;
}

/** Resolves when the other side answered 2xx. */
export async function post(request: Post): Promise<Acceptance> {
  const { channel, url, headers, body, secrets, milliseconds = TIMEOUT_MILLISECONDS } = request;
  const attempted = `telling ${channel} failed`;
  let response: Response;
  let words: string;
  try {
    const signal = AbortSignal.timeout(milliseconds);
    response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    words = hidden(await beginningOf(response), secrets);
  } catch (error) {
    throw new HoldfastError({
      code: 'channel.unreachable',
      message: attempted,
      cause: hidden(networkWords(error, milliseconds), secrets),
      hint: 'look whether the channel can be reached from the host of the worker',
    });
  }
  if (response.ok) return { words: [`${response.status}`, words].filter(Boolean).join(' ') };
  throw refusal(attempted, response.status, words);
}

/** An address for messages: HTTPS, or HTTP that stays on this machine. Throws without showing it. */
export function addressOf(channel: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const problem =
    url === null || !/^https?:$/.test(url.protocol)
      ? 'the secret is no address that begins with https://'
      : url.protocol === 'http:' && !isLoopback(url.hostname)
        ? 'the address begins with http:// and is not on this machine: the message, and its secret, would travel in plain'
        : null;
  if (url && problem === null) return url;
  throw new HoldfastError({
    code: 'channel.misconfigured',
    message: `telling ${channel} failed`,
    cause: problem ?? '',
    hint: 'put an https:// address where the reference of the channel points',
  });
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || /^127(\.\d+){3}$/.test(host) || host === '[::1]' || host === '::1';
}

/** Tools and servers repeat what they were sent. */
export function hidden(text: string, secrets: readonly string[]): string {
  const parts = secrets.filter((secret) => secret.length > 3).sort((a, b) => b.length - a.length);
  const masked = parts.reduce((words, secret) => words.replaceAll(secret, MASKED), text);
  return masked.length <= LONGEST_WORDS ? masked : `${masked.slice(0, LONGEST_WORDS)}…`;
}

/** The address as a whole, and what of it opens the door when said alone. */
export function secretsIn(url: URL): string[] {
  const { href, pathname, search, username, password } = url;
  const texts = [href, `${pathname}${search}`, pathname, password, username, ...pathname.split('/')];
  return texts.filter((text) => text.length > 7 || text === password);
}

function refusal(attempted: string, status: number, words: string): HoldfastError {
  const cause = [`the channel answered ${status}`, words].filter(Boolean).join(': ');
  const failure = { message: attempted, cause };
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    const hint = 'it is tried again by itself; if it goes on, look at the other side';
    return new HoldfastError({ ...failure, code: 'channel.unreachable', hint });
  }
  if ([400, 405, 413, 415, 422].includes(status)) {
    const hint = 'the other side does not take this message: does the type of the channel fit the address?';
    return new HoldfastError({ ...failure, code: 'channel.refused', hint });
  }
  const hint =
    status >= 300 && status < 400
      ? 'redirects are not followed: put the final address where the reference points'
      : 'check the secret and the address of the channel';
  return new HoldfastError({ ...failure, code: 'channel.misconfigured', hint });
}

function networkWords(error: unknown, milliseconds: number): string {
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return `no answer within ${milliseconds / 1000} s`;
  // fetch says "fetch failed" and keeps the reason to itself.
  const inner = error instanceof Error ? error.cause : undefined;
  return inner === undefined ? wordsOf(error) : wordsOf(inner);
}

/** One line of it: an answer can be a page, or without end. */
async function beginningOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  if (!response.body) return text;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= LONGEST_ANSWER_BYTES) break;
  }
  return text
    .slice(0, LONGEST_ANSWER_BYTES)
    .replaceAll(/[\0-\x1f\x7f\s]+/g, ' ')
    .trim();
}
