// The audit chain in PostgreSQL. The rule of the chain is domain/audit-chain.ts; here events are added one
// after another, never two at once, and read back.

import { createHash } from 'node:crypto';
import {
  ChainCheck,
  digestOf,
  type AuditEvent,
  type ChainHead,
  type ChainReport,
  type NewAuditEvent,
  checkExport,
} from '../domain/audit-chain.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { Page, PageRequest } from './catalog.ts';
import type { Query } from './connection.ts';
import type { Database } from './database.ts';
import { limitOf, pageOf, positionOf } from './page.ts';
import { json, storableJson } from './storable.ts';

const EVENTS_PER_READ = 2_000;
/** Any number nobody else in this database uses. */
const CHAIN_LOCK = 4_812_071_733;

export interface Audit {
  /** For what happens outside the catalogue (a token refused, a history exported). May be kept twice when the
   * connection is lost at the commit. */
  append(event: NewAuditEvent): Promise<void>;
  /** Newest first. */
  list(request?: AuditFilter & PageRequest): Promise<Page<AuditEvent>>;
  /** Every event from the first to the last, in order, for an export as NDJSON. */
  stream(): AsyncIterable<AuditEvent>;
  /** Reads the whole chain in constant memory. `anchors`: heads noted elsewhere, which must be events of it. */
  verify(anchors?: readonly ChainHead[]): Promise<ChainReport>;
}

/** What is left out or null leaves nothing out. */
export interface AuditFilter {
  actor?: string | null;
  /** The beginning of it is enough. */
  action?: string | null;
  subject?: string | null;
  /** From this on, and before that. */
  since?: string | null;
  until?: string | null;
}

export function audit(database: Database): Audit {
  return {
    append: (event) =>
      database.write('writing to the audit chain', async (transaction) => transaction.audit(event)),

    list: (request = {}) =>
      database.read('listing audit events', async (query) => {
        const limit = limitOf(request);
        const position = positionOf(request.cursor, ['number']);
        const events = await query<AuditEvent>(
          `select ${COLUMNS} from audit_events
            where ($1::text is null or action like $1) and ($2::text is null or subject = $2)
              and ($3::bigint is null or sequence < $3) and ($5::text is null or actor = $5)
              and ($6::timestamptz is null or at >= $6) and ($7::timestamptz is null or at < $7)
            order by sequence desc limit $4`,
          [
            request.action ? beginningWith(request.action) : null,
            request.subject ?? null,
            position?.[0] ?? null,
            limit + 1,
            request.actor ?? null,
            request.since ?? null,
            request.until ?? null,
          ],
        );
        return pageOf(events, limit, (event) => [event.sequence]);
      }),

    stream: () => eventsOf(database),

    async verify(anchors = []) {
      // The head first: what is added while the chain is read comes after it.
      const [head] = await database.read('reading the head of the audit chain', (query) =>
        query<ChainHead>('select sequence, digest from audit_head'),
      );
      if (!head) throw headMissing();
      const check = new ChainCheck(sha256, [head, ...anchors]);
      for await (const event of eventsOf(database)) if (!check.accept(event)) break;
      return check.report();
    },
  };
}

/** An exported chain (NDJSON), without any service; `expected` is a head noted when it was exported. */
export function verifyExport(lines: Iterable<string>, expected: readonly ChainHead[] = []): ChainReport {
  return checkExport(lines, sha256, expected);
}

export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** Within the caller's transaction. The lock lasts until it ends: no one else appends in between. */
export async function appendEvents(
  query: Query,
  actor: string,
  events: readonly NewAuditEvent[],
  clock: () => Date,
): Promise<void> {
  await lockChain(query);
  let [head] = await query<ChainHead>('select sequence, digest from audit_head');
  if (!head) throw headMissing();
  for (const { action, subject, details } of events) {
    const sequence: number = head.sequence + 1;
    const content = storableJson({ actor, action, subject, details });
    const event = { ...content, sequence, at: clock().toISOString(), previous: head.digest };
    const digest = digestOf(event, sha256);
    await query(
      `insert into audit_events (sequence, at, actor, action, subject, details, previous, digest)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        sequence,
        event.at,
        event.actor,
        event.action,
        event.subject,
        json(event.details),
        event.previous,
        digest,
      ],
    );
    head = { sequence, digest };
  }
}

/** Until the end of the transaction; again in the same one it costs nothing. */
export async function lockChain(query: Query): Promise<void> {
  await query('select pg_advisory_xact_lock($1)', [CHAIN_LOCK]);
}

function beginningWith(text: string): string {
  return `${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}

const COLUMNS = 'sequence, at, actor, action, subject, details, previous, digest';

async function* eventsOf(database: Database): AsyncGenerator<AuditEvent> {
  for (let after = Number.MIN_SAFE_INTEGER; ;) {
    const events = await database.read('reading the audit chain', (query) =>
      query<AuditEvent>(
        `select ${COLUMNS} from audit_events where sequence > $1 order by sequence limit $2`,
        [after, EVENTS_PER_READ],
      ),
    );
    yield* events;
    const last = events.at(-1);
    if (!last || events.length < EVENTS_PER_READ) return;
    after = last.sequence;
  }
}

function headMissing(): HoldfastError {
  return new HoldfastError({
    code: 'internal',
    message: 'the head of the audit chain is missing from the catalogue',
    cause: 'audit_head has no row',
    hint: 'somebody with the rights of the owner removed it: compare with an exported chain (`holdfast audit verify --file`)',
  });
}
