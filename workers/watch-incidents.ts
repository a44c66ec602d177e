// Keeps the incidents in line with the catalogue and brings their messages out. Any number of workers may do it
// side by side: one at a time changes the incidents, and a message is one worker's at a time.

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Send } from '../activities/notify/send.ts';
import type { Catalog, ChannelFailure } from '../catalog/index.ts';
import type { NotificationChannel } from '../domain/configuration/notification-types.ts';
import { asHoldfastError, isRetryable } from '../domain/errors.ts';
import { conditionsOf, drillKey } from '../domain/incidents/conditions.ts';
import { planIncidents } from '../domain/incidents/plan.ts';
import { pauseAfter } from '../domain/incidents/retry.ts';
import { incidentFacts } from './incident-facts.ts';
import { repeat, type Repetition } from './repeat.ts';

export interface Watch {
  catalog: Catalog;
  send: Send;
  now(): Date;
  /** 0 to 1: spreads out the attempts of what failed together. */
  random(): number;
}

/** One look: what changed is written down, and every message that is due is sent. Throws when the catalogue is away. */
export async function watchIncidents(watch: Watch): Promise<void> {
  const channels = await updateIncidents(watch);
  await Promise.all(channels.map((channel) => deliver(watch, channel)));
}

const PASS_MILLISECONDS = 15_000;
const STOP_MILLISECONDS = 3_000;

/** Again and again, for as long as the worker lives. A channel that hangs is waited for by nobody. */
export function watchOn(
  watch: Watch,
  failed: (error: unknown) => void,
  pauseMilliseconds = PASS_MILLISECONDS,
): Repetition {
  const delivering = new Map<string, Promise<void>>();
  const look = async () => {
    for (const channel of await updateIncidents(watch)) {
      if (delivering.has(channel.name)) continue;
      const done = deliver(watch, channel)
        .catch(failed)
        .finally(() => delivering.delete(channel.name));
      delivering.set(channel.name, done);
    }
  };
  const looking = repeat(pauseMilliseconds, look, failed);
  return {
    stop: async () => {
      await looking.stop();
      // What hangs is broken off, and sent again under the same id by whoever comes next.
      await Promise.race([Promise.all(delivering.values()), pause(STOP_MILLISECONDS, null, { ref: false })]);
    },
  };
}

/** Returns the channels there are. */
async function updateIncidents({ catalog, now }: Watch): Promise<NotificationChannel[]> {
  const applied = await catalog.configurations.current();
  if (!applied) return [];
  const { configuration } = applied;
  const channels = configuration.notifications ?? [];
  const at = now();
  const facts = await incidentFacts(catalog, configuration, at);
  const conditions = conditionsOf(facts, at);
  const results = (facts.drills ?? []).map(({ drill, told }) => ({ key: drillKey(drill), told }));
  await catalog.incidents.update(at, (known) => planIncidents(known, conditions, channels, at, results));
  const policies = configuration.policies.map(({ name }) => name);
  for (const channel of channels) {
    if (channel.type === 'healthchecks')
      await ping(catalog, channel, { policies, since: new Date(applied.appliedAt) }, at);
  }
  return channels;
}

/** Of what began or ended since the channel was first applied. */
async function ping(
  catalog: Catalog,
  channel: NotificationChannel,
  { policies, since }: { policies: string[]; since: Date },
  now: Date,
): Promise<void> {
  const from = await catalog.notifications.pingsFrom(channel.name, since);
  for (const policy of channel.policies.length > 0 ? channel.policies : policies) {
    const signs = await catalog.incidentRecords.signs(policy, from);
    const pings = signs.map((sign) => ({
      ...sign,
      kind: 'ping' as const,
      id: randomUUID(),
      createdAt: now.toISOString(),
    }));
    if (pings.length > 0) await catalog.notifications.ping(channel.name, pings, now);
  }
}

/** Longer than any attempt may take: whoever died in one leaves it to the others after that. */
const CLAIM_MILLISECONDS = 5 * 60_000;
/** In one go; the rest waits for the next look. */
const MESSAGES_AT_ONCE = 20;

async function deliver({ catalog, send, now, random }: Watch, channel: NotificationChannel): Promise<void> {
  for (let count = 0; count < MESSAGES_AT_ONCE; count += 1) {
    const claimed = now();
    const until = new Date(claimed.getTime() + CLAIM_MILLISECONDS);
    const message = await catalog.notifications.claim(channel.name, claimed, until);
    if (!message) return;
    try {
      await send(channel, message.content, claimed);
    } catch (thrown) {
      const failure = failureOf(thrown, channel.name, message.attempts, now(), random());
      await catalog.notifications.failed(channel.name, message, failure, now());
      continue;
    }
    await catalog.notifications.delivered(channel.name, message, now());
  }
}

function failureOf(
  thrown: unknown,
  channel: string,
  attempts: number,
  now: Date,
  random: number,
): ChannelFailure {
  const error = asHoldfastError(thrown, `telling ${channel} failed`);
  const again =
    error.code === 'channel.refused' ? null : new Date(now.getTime() + pauseAfter(attempts, random) * 1000);
  return { error: error.toContract(), again, lasting: !isRetryable(error.code) };
}
