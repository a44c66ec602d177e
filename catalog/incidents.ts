// Incidents, and the messages about them: both change in one transaction, under a lock that only one worker
// holds, so each change is told exactly once.

import { randomUUID } from 'node:crypto';
import type { Condition, Incident } from '../domain/incidents/condition.ts';
import type { IncidentMessage, MessageItem } from '../domain/incidents/message.ts';
import type { IncidentPlan, OpenIncident, PlannedItem, Told } from '../domain/incidents/plan.ts';
import type { Page, PageRequest } from './catalog.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { addMessage } from './notification-outbox.ts';
import { limitOf, pageOf, positionOf } from './page.ts';
import { json } from './storable.ts';

/** Any number nobody else in this database uses. */
const INCIDENTS_LOCK = 4_812_071_734;
/** A row whose condition goes on unchanged is written this often, not at every look. */
const SEEN_EVERY_SECONDS = 60;

export interface Incidents {
  /**
   * Brings the incidents in line with `plan`, a pure function that may be called more than once. null: another
   * worker is just doing that.
   */
  update(now: Date, plan: (known: OpenIncident[]) => IncidentPlan): Promise<IncidentPlan | null>;
  /** Newest first; only open ones unless `all`. */
  list(request?: { all?: boolean } & PageRequest): Promise<Page<Incident>>;
  /** Of those that are open; `critical` counts what is worth a page, too. */
  count(): Promise<{ open: number; critical: number }>;
}

export function incidents(database: Database): Incidents {
  return {
    update: (now, plan) =>
      database.write('updating the incidents', async (transaction) => {
        const [lock] = await transaction.query<{ held: boolean }>(
          'select pg_try_advisory_xact_lock($1) as held',
          [INCIDENTS_LOCK],
        );
        if (!lock?.held) return null;
        const known = await openIncidents(transaction.query);
        const planned = plan(known);
        await apply(transaction, known, planned, now);
        return planned;
      }),

    list: (request = {}) =>
      database.read('listing incidents', async (query) => {
        const limit = limitOf(request);
        const position = positionOf(request.cursor, ['number']);
        const rows = await query<Incident & { number: number }>(
          `select number, ${COLUMNS} from incidents
            where ($1 or resolved_at is null) and ($2::bigint is null or number < $2)
            order by number desc limit $3`,
          [request.all === true, position?.[0] ?? null, limit + 1],
        );
        const page = pageOf(rows, limit, ({ number }) => [number]);
        return { items: page.items.map(({ number: _, ...incident }) => incident), next: page.next };
      }),

    count: () =>
      database.read('counting incidents', async (query) => {
        const [counts] = await query<{ open: number; critical: number }>(
          `select count(*) as open, count(*) filter (where severity in ('critical', 'page')) as critical
             from incidents where resolved_at is null`,
        );
        return counts ?? { open: 0, critical: 0 };
      }),
  };
}

const COLUMNS = `'i-' || number as id, key, topic, severity, policies, asset, title, reason, next,
  opened_at as "openedAt", last_seen_at as "lastSeenAt", resolved_at as "resolvedAt"`;

type Row = OpenIncident & { number: number };

async function openIncidents(query: Query): Promise<Row[]> {
  return query<Row>(
    `select number, ${COLUMNS}, told from incidents where resolved_at is null order by number`,
  );
}

async function apply(
  transaction: Transaction,
  known: OpenIncident[],
  plan: IncidentPlan,
  now: Date,
): Promise<void> {
  const { query, audit } = transaction;
  const at = now.toISOString();
  const before = new Map(known.map((incident) => [incident.key, incident]));
  for (const condition of plan.seen) {
    const incident = before.get(condition.key);
    if (incident && isWorthWriting(incident, condition, now)) await see(query, condition, at);
  }
  for (const condition of plan.open) await open(query, condition, at);
  if (plan.resolved.length > 0) {
    await query('update incidents set resolved_at = $2 where key = any ($1) and resolved_at is null', [
      plan.resolved,
      at,
    ]);
  }
  const after = await incidentsNamed(query, plan, at);
  const subject = (key: string) => `incident/${after.get(key)?.id}`;
  for (const { key, severity, title } of plan.open)
    audit({ action: 'incident.opened', subject: subject(key), details: { key, severity, title } });
  for (const key of plan.escalated) {
    const severity = after.get(key)?.severity;
    audit({ action: 'incident.escalated', subject: subject(key), details: { key, severity } });
  }
  for (const key of plan.resolved)
    audit({ action: 'incident.resolved', subject: subject(key), details: { key } });
  for (const { channel, key, told } of plan.noted) await note(query, key, channel, told);
  await tell(query, plan, after, at);
}

function isWorthWriting(incident: Incident, condition: Condition, now: Date): boolean {
  const seen = now.getTime() - Date.parse(incident.lastSeenAt);
  return seen >= SEEN_EVERY_SECONDS * 1000 || seen < 0 || incident.severity !== condition.severity;
}

async function see(query: Query, condition: Condition, at: string): Promise<void> {
  await query(
    `update incidents set topic = $2, severity = $3, policies = $4, asset = $5, title = $6, reason = $7,
       next = $8, last_seen_at = $9 where key = $1 and resolved_at is null`,
    [...values(condition), at],
  );
}

async function open(query: Query, condition: Condition, at: string): Promise<void> {
  await query(
    `insert into incidents (key, topic, severity, policies, asset, title, reason, next, opened_at, last_seen_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
    [...values(condition), at],
  );
}

function values({ key, topic, severity, policies, asset, title, reason, next }: Condition): unknown[] {
  return [key, topic, severity, policies, asset, title, reason, next];
}

/** Those that are open, and those resolved just now. */
async function incidentsNamed(
  query: Query,
  plan: IncidentPlan,
  at: string,
): Promise<Map<string, OpenIncident>> {
  const rows = await query<OpenIncident>(
    `select ${COLUMNS}, told from incidents
      where resolved_at is null or (resolved_at = $2 and key = any ($1)) order by number`,
    [plan.resolved, at],
  );
  return new Map(rows.map((row) => [row.key, row]));
}

async function tell(
  query: Query,
  plan: IncidentPlan,
  incidents: Map<string, OpenIncident>,
  at: string,
): Promise<void> {
  for (const { channel, items } of plan.messages) {
    const id = randomUUID();
    const content: IncidentMessage = {
      kind: 'incidents',
      id,
      createdAt: at,
      items: items.flatMap((item) => itemOf(incidents.get(item.key), item, id)),
    };
    await addMessage(query, { channel, content, about: null });
    for (const { key, kind, thread } of items) {
      const incident = incidents.get(key);
      if (!incident || kind === 'resolved') continue;
      await note(query, key, channel, { severity: incident.severity, at, thread: thread ?? id });
    }
  }
}

async function note(query: Query, key: string, channel: string, told: Told): Promise<void> {
  await query(
    'update incidents set told = told || jsonb_build_object($2::text, $3::jsonb) where key = $1 and resolved_at is null',
    [key, channel, json(told)],
  );
}

function itemOf(incident: OpenIncident | undefined, item: PlannedItem, message: string): MessageItem[] {
  if (!incident) return [];
  const { told: _, ...rest } = incident;
  return [{ ...rest, event: item.kind, thread: item.thread ?? message, endsThread: item.endsThread }];
}
