// What every noun works with: reads, and transactions that put their audit events on the chain as their last
// act. Last, because the chain's lock makes everyone else wait until the commit, and because a transaction
// that took it first could wait in a circle with one that holds a row.

import type { NewAuditEvent } from '../domain/audit-chain.ts';
import { appendEvents } from './audit.ts';
import type { Connection, Query } from './connection.ts';

export interface Database {
  read: Connection['read'];
  write<T>(operation: string, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Who the audit events name. */
  readonly actor: string;
}

export interface Transaction {
  query: Query;
  /** When it began, RFC 3339: what it records without being told a time bears this one. */
  at: string;
  /** Kept until the end of the transaction; dropped with it. */
  audit(event: NewAuditEvent): void;
}

export function databaseOf(connection: Connection, actor: string, clock: () => Date): Database {
  return {
    actor,
    read: (operation, work) => connection.read(operation, work),
    write: (operation, work) =>
      connection.transaction(operation, async (query) => {
        const events: NewAuditEvent[] = [];
        const at = clock().toISOString();
        const result = await work({ query, at, audit: (event) => events.push(event) });
        if (events.length > 0) await appendEvents(query, actor, events, clock);
        return result;
      }),
  };
}
