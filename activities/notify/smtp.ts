// Mail. Off this machine it goes over TLS or not at all; answers to one incident form a thread.

import { createTransport } from 'nodemailer';
import type { SmtpChannel } from '../../domain/configuration/notification-types.ts';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import type { Message } from '../../domain/incidents/message.ts';
import { subjectOf, textOf } from '../../domain/incidents/words.ts';
import { hidden, isLoopback, TIMEOUT_MILLISECONDS } from './post.ts';
import type { Acceptance } from './send.ts';

export async function sendSmtp(channel: SmtpChannel, address: string, message: Message): Promise<Acceptance> {
  if (message.kind === 'ping') return { words: 'a ping says nothing here' };
  const server = serverOf(channel.name, address);
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: !server.secure && !isLoopback(server.host),
    // A mail server on this machine has a certificate of its own making, if any.
    ...(isLoopback(server.host) && { tls: { rejectUnauthorized: false } }),
    ...(server.user && { auth: { user: server.user, pass: server.password } }),
    connectionTimeout: TIMEOUT_MILLISECONDS,
    greetingTimeout: TIMEOUT_MILLISECONDS,
    socketTimeout: TIMEOUT_MILLISECONDS,
    // A message holds no path to a file, and none may be read by one.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const late = lateness();
  try {
    const thread = message.kind === 'incidents' ? firstThread(message.items, message.id) : null;
    const sent = transport.sendMail({
      from: channel.from,
      to: channel.to,
      subject: subjectOf(message),
      text: textOf(message),
      messageId: mailId(message.id),
      date: new Date(message.createdAt),
      headers: { 'Auto-Submitted': 'auto-generated' },
      ...(message.kind === 'drill' && { attachments: message.files.map(attachment) }),
      ...(thread && { inReplyTo: mailId(thread), references: mailId(thread) }),
    });
    const { response, rejected } = await Promise.race([sent, late.promise]);
    if (rejected.length > 0)
      throw notTaken(channel.name, `not taken for ${rejected.length} of the addressees`);
    return { words: hidden(response, [server.password]) };
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw failure(channel.name, error, [server.password, address]);
  } finally {
    late.stop();
    transport.close();
  }
}

/** nodemailer's limits are for each silence; a server that drips could go on for ever. */
function lateness() {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${(2 * TIMEOUT_MILLISECONDS) / 1000} s`)),
      2 * TIMEOUT_MILLISECONDS,
    );
  });
  return { promise, stop: () => clearTimeout(timer) };
}

/** A mail has one parent: where several threads meet, it stands with the first. */
function firstThread(items: readonly { thread: string }[], own: string): string | null {
  return items.find(({ thread }) => thread !== own)?.thread ?? null;
}

function attachment({ name, text }: { name: string; text: string }) {
  const contentType = name.endsWith('.html') ? 'text/html; charset=utf-8' : 'application/json';
  return { filename: name, content: text, contentType };
}

function mailId(id: string): string {
  return `<${id}@holdfast>`;
}

function serverOf(channel: string, address: string) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '') {
    throw new HoldfastError({
      code: 'channel.misconfigured',
      message: `telling ${channel} failed`,
      cause: 'the secret is no address like smtps://user:password@mail.example.org:465',
      hint: 'put one where the reference of the channel points; smtp:// has to offer STARTTLS',
    });
  }
  const secure = url.protocol === 'smtps:';
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
}

function notTaken(channel: string, cause: string): HoldfastError {
  const hint = 'check the addresses under to';
  return new HoldfastError({ code: 'channel.refused', message: `telling ${channel} failed`, cause, hint });
}

/** Codes as nodemailer gives them; 5xx is the server's last word on this message, 4xx is not. */
function failure(channel: string, error: unknown, secrets: string[]): HoldfastError {
  const { code = '', responseCode = 0 } = error as { code?: string; responseCode?: number };
  const common = { message: `telling ${channel} failed`, cause: hidden(wordsOf(error), secrets) };
  if (code === 'EAUTH' || code === 'ETLS' || code === 'ENOAUTH' || code === 'EREQUIRETLS') {
    const hint = 'check user, password and TLS of the mail server in the secret of the channel';
    return new HoldfastError({ ...common, code: 'channel.misconfigured', hint });
  }
  if (responseCode >= 500) return notTaken(channel, common.cause);
  const hint = 'it is tried again by itself; if it goes on, look at the mail server';
  return new HoldfastError({ ...common, code: 'channel.unreachable', hint });
}
