// What becomes of the messages in the outbox, and how each channel fares: one that does not take its messages is
// a fact like any other, and told through the others.

import type { ErrorContract } from '../domain/errors.ts';
import type { PingMessage } from '../domain/incidents/message.ts';
import { FAILURES_UNTIL_TOLD, isGivenUp } from '../domain/incidents/retry.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import {
  addMessage,
  claimMessage,
  postponeMessage,
  settleMessage,
  type WaitingMessage,
} from './notification-outbox.ts';
import { json } from './storable.ts';

export interface Notifications {
  /** The channel's oldest message if it is due; it is the caller's until then. */
  claim(channel: string, now: Date, until: Date): Promise<WaitingMessage | null>;
  delivered(channel: string, message: WaitingMessage, now: Date): Promise<void>;
  /** Tried again at `again`; null: never, as this message is not taken as it is. Days later it is given up. */
  failed(channel: string, message: WaitingMessage, failure: ChannelFailure, now: Date): Promise<void>;
  /** A test was taken, or not: nothing is queued, but the channel's state follows. */
  tested(channel: string, error: ErrorContract | null, now: Date): Promise<void>;
  /** Puts each ping into the outbox once; older ones of the channel that still wait mean nothing any more. */
  ping(channel: string, pings: PingMessage[], now: Date): Promise<void>;
  /** Since when jobs are pinged on this channel: what the first call said. */
  pingsFrom(channel: string, since: Date): Promise<string>;
  channels(): Promise<ChannelState[]>;
}

export interface ChannelFailure {
  error: ErrorContract;
  again: Date | null;
  /** Nothing that passes by itself: told at once. */
  lasting: boolean;
}

export interface ChannelState {
  name: string;
  failures: number;
  /** null: it takes its messages, or was not used yet. */
  failingSince: string | null;
  error: ErrorContract | null;
  deliveredAt: string | null;
}

export function notifications(database: Database): Notifications {
  return {
    claim: (channel, now, until) =>
      database.write(`taking the next message for ${channel}`, ({ query }) =>
        claimMessage(query, channel, now.toISOString(), until.toISOString()),
      ),

    delivered: (channel, { content }, now) =>
      database.write(`recording a message taken by ${channel}`, async (transaction) => {
        const at = now.toISOString();
        await settleMessage(transaction.query, content.id, { outcome: 'delivered', at, error: null });
        await works(transaction, channel, at);
      }),

    failed: (channel, message, failure, now) =>
      database.write(`recording a message not taken by ${channel}`, async (transaction) => {
        const { query, audit } = transaction;
        const { id, createdAt, kind } = message.content;
        const at = now.toISOString();
        const words = wordsOf(failure.error);
        const outcome = failure.again === null ? 'refused' : isGivenUp(createdAt, now) ? 'givenUp' : null;
        if (failure.again && outcome === null) {
          await postponeMessage(query, id, failure.again.toISOString(), words);
        } else {
          await settleMessage(query, id, { outcome: outcome ?? 'refused', at, error: words });
          audit({
            action: `notification.${outcome}`,
            subject: `channel/${channel}`,
            details: { id, kind, words },
          });
        }
        await fails(transaction, channel, failure, at);
      }),

    tested: (channel, error, now) =>
      database.write(`recording the test of ${channel}`, (transaction) =>
        error
          ? fails(transaction, channel, { error, again: null, lasting: true }, now.toISOString())
          : works(transaction, channel, now.toISOString()),
      ),

    ping: (channel, pings, now) =>
      database.write(`putting pings into the outbox of ${channel}`, async ({ query }) => {
        for (const ping of pings) {
          await addMessage(query, { channel, content: ping, about: `${ping.jobId} ${ping.signal}` });
        }
        await query(
          `update notification_messages as older set outcome = 'superseded', settled_at = $2
            where channel = $1 and about is not null and settled_at is null and exists (
              select from notification_messages as newer
               where newer.channel = $1 and newer.about is not null and newer.sequence > older.sequence)`,
          [channel, now.toISOString()],
        );
      }),

    pingsFrom: (channel, since) =>
      database.write(`reading since when ${channel} is pinged`, async ({ query }) => {
        await ensureRow(query, channel);
        const [row] = await query<{ from: string }>(
          `update notification_channels set pings_from = coalesce(pings_from, $2) where name = $1
           returning pings_from as "from"`,
          [channel, since.toISOString()],
        );
        return row?.from ?? since.toISOString();
      }),

    channels: () =>
      database.read('reading the state of the channels', (query) =>
        query<ChannelState>(
          `select name, failures, failing_since as "failingSince", error, delivered_at as "deliveredAt"
             from notification_channels order by name`,
        ),
      ),
  };
}

async function works({ query, audit }: Transaction, channel: string, at: string): Promise<void> {
  await ensureRow(query, channel);
  const [before] = await query<{ failingSince: string | null }>(
    'select failing_since as "failingSince" from notification_channels where name = $1 for update',
    [channel],
  );
  await query(
    `update notification_channels set failures = 0, failing_since = null, error = null, delivered_at = $2
      where name = $1`,
    [channel, at],
  );
  if (before?.failingSince)
    audit({
      action: 'channel.recovered',
      subject: `channel/${channel}`,
      details: { since: before.failingSince },
    });
}

async function fails(
  { query, audit }: Transaction,
  channel: string,
  { error, lasting }: ChannelFailure,
  at: string,
): Promise<void> {
  await ensureRow(query, channel);
  const [row] = await query<{ failures: number; failingSince: string | null }>(
    `update notification_channels set failures = failures + 1, error = $2 where name = $1
     returning failures, failing_since as "failingSince"`,
    [channel, json(error)],
  );
  if (!row || row.failingSince !== null) return;
  if (!lasting && row.failures < FAILURES_UNTIL_TOLD) return;
  await query('update notification_channels set failing_since = $2 where name = $1', [channel, at]);
  audit({ action: 'channel.failing', subject: `channel/${channel}`, details: { words: wordsOf(error) } });
}

function wordsOf({ message, cause }: ErrorContract): string {
  return [message, cause].filter(Boolean).join(': ');
}

async function ensureRow(query: Query, channel: string): Promise<void> {
  await query('insert into notification_channels (name) values ($1) on conflict do nothing', [channel]);
}
