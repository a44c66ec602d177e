// What the clocks of the workers have shown. A jump stays known, whatever is recorded after it, until a person
// confirms the new time or the clock goes on where it was believed.

import { isJump, type ClockJump } from '../domain/retention/clock-jump.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';

export interface ClockSeen {
  /** Each job says what its clock shows as it begins. */
  note(now: Date): Promise<void>;
  /** The jump that nobody has confirmed, also one that would be at `now`; null: the clock is believed. */
  jump(now: Date): Promise<ClockJump | null>;
}

export function clockSeen(database: Database): ClockSeen {
  return {
    note: (now) =>
      database.write('recording what the clock shows', (transaction) => note(transaction, now.toISOString())),

    jump: (now) =>
      database.read('asking what the clock has shown', async (query) => {
        const seen = await read(query, '');
        if (!seen) return null;
        const jump = { from: seen.trusted, to: now.toISOString() };
        return isJump(jump) ? { ...jump, to: seen.since ?? jump.to } : null;
      }),
  };
}

/** A person answers for it: from here on the new time is the one that is believed. */
export async function believeClock({ query, audit }: Transaction, now: string): Promise<void> {
  const seen = await read(query, 'for update');
  if (!seen || (seen.since === null && !isJump({ from: seen.trusted, to: now }))) return;
  await query(`update clock_seen set trusted_until = $1, doubted_since = null, doubted_until = null`, [
    seen.until ?? now,
  ]);
  audit({
    action: 'clock.confirmed',
    subject: 'clock',
    details: { from: seen.trusted, to: seen.until ?? now },
  });
}

async function note({ query, audit }: Transaction, now: string): Promise<void> {
  await query('insert into clock_seen (trusted_until) values ($1) on conflict do nothing', [now]);
  const seen = await read(query, 'for update');
  if (!seen) return;
  if (!isJump({ from: seen.trusted, to: now })) {
    await query(
      `update clock_seen
          set trusted_until = greatest(trusted_until, $1), doubted_since = null, doubted_until = null`,
      [now],
    );
    if (seen.since !== null)
      audit({ action: 'clock.returned', subject: 'clock', details: { from: seen.until, to: now } });
    return;
  }
  const goesOn = seen.until !== null && !isJump({ from: seen.until, to: now });
  await query(
    `update clock_seen set doubted_since = case when $2 then doubted_since else $1::timestamptz end,
       doubted_until = case when $2 then greatest(doubted_until, $1::timestamptz) else $1::timestamptz end`,
    [now, goesOn],
  );
  if (!goesOn) audit({ action: 'clock.jumped', subject: 'clock', details: { from: seen.trusted, to: now } });
}

interface Seen {
  trusted: string;
  since: string | null;
  until: string | null;
}

async function read(query: Query, locking: '' | 'for update'): Promise<Seen | null> {
  const [row] = await query<Seen>(
    `select trusted_until as trusted, doubted_since as since, doubted_until as until from clock_seen ${locking}`,
  );
  return row ?? null;
}
