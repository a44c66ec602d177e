// The outbox's rows. Each channel has a queue of its own: its oldest message first, so that an end is never told
// before its beginning, and none waits for another channel's.

import type { Message } from '../domain/incidents/message.ts';
import type { Query } from './connection.ts';
import { json } from './storable.ts';

export interface NewMessage {
  channel: string;
  content: Message;
  /** Not null: the same thing is told this channel once, whoever asks again. */
  about: string | null;
}

/** Within the caller's transaction; due at once. */
export async function addMessage(query: Query, { channel, content, about }: NewMessage): Promise<void> {
  await query(
    `insert into notification_messages (id, channel, content, about, created_at, next_attempt_at)
     values ($1, $2, $3, $4, $5, $5) on conflict do nothing`,
    [content.id, channel, json(content), about, content.createdAt],
  );
}

export interface WaitingMessage {
  content: Message;
  /** Including the one that is beginning. */
  attempts: number;
}

/**
 * The channel's oldest message, if it is due. Until `until` it is the caller's: if that dies, it is due again
 * then.
 */
export async function claimMessage(
  query: Query,
  channel: string,
  now: string,
  until: string,
): Promise<WaitingMessage | null> {
  const [row] = await query<WaitingMessage>(
    `update notification_messages set attempts = attempts + 1, next_attempt_at = $3
      where id = (select id from notification_messages where channel = $1 and settled_at is null
                   order by sequence limit 1)
        and settled_at is null and next_attempt_at <= $2
      returning content, attempts`,
    [channel, now, until],
  );
  return row ?? null;
}

export type Outcome = 'delivered' | 'refused' | 'givenUp' | 'superseded';

export async function settleMessage(
  query: Query,
  id: string,
  settled: { outcome: Outcome; at: string; error: string | null },
): Promise<void> {
  await query(
    `update notification_messages set outcome = $2, settled_at = $3, last_error = $4
      where id = $1 and settled_at is null`,
    [id, settled.outcome, settled.at, settled.error],
  );
}

export async function postponeMessage(query: Query, id: string, until: string, error: string): Promise<void> {
  await query(
    `update notification_messages set next_attempt_at = $2, last_error = $3
      where id = $1 and settled_at is null`,
    [id, until, error],
  );
}
