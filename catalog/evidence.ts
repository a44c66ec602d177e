// The evidence of drills as it was signed, in one chain of its own, each with its event on the audit chain. The
// signing is the caller's; here nothing gets in that does not follow the last one or bears a key not in force.

import { KEY_CREATED, KEY_ROTATED } from '../domain/audit-keys.ts';
import { HoldfastError } from '../domain/errors.ts';
import { EVIDENCE_RECORDED } from '../domain/evidence/check-set.ts';
import { readEnvelope } from '../domain/evidence/envelope.ts';
import type { DrillOutcome } from '../domain/evidence/outcome.ts';
import type { Handover } from '../domain/evidence/signed-by.ts';
import { EVIDENCE_START, type Statement } from '../domain/evidence/statement.ts';
import { lockChain, sha256 } from './audit.ts';
import type { Page, PageRequest } from './catalog.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { approvalOf, approve, type Approval } from './evidence-approvals.ts';
import { limitOf, pageOf, positionOf } from './page.ts';

export interface EvidenceEntry {
  /** From 1, without a gap. */
  sequence: number;
  drillId: string;
  drill: string;
  scenario: string;
  outcome: DrillOutcome;
  startedAt: string;
  endedAt: string;
  recordedAt: string;
  /** SHA-256 of the file before, and of this one. */
  previous: string;
  digest: string;
  keyId: string;
  /** Who signed it off since; null: nobody has. */
  approval: Approval | null;
}

export interface StoredEvidence extends EvidenceEntry {
  /** The signed file's text. */
  envelope: string;
}

/** What the next evidence has to name. */
export interface EvidenceHead {
  sequence: number;
  digest: string;
  /** Those the audit chain has in force, by id: the rotations that lead to each from the one first announced. */
  keys: Map<string, Handover[]>;
}

export interface EvidenceFilter {
  drill?: string | null;
  /** Drills that ended from this time on, and before that one. */
  from?: string | null;
  to?: string | null;
}

export interface EvidenceRecords {
  head(): Promise<EvidenceHead>;
  /**
   * Once for each drill: a second time what is there is returned. `request.conflict`, which a new signature
   * mends, when other evidence or a rotation of the key came first.
   */
  record(envelope: string): Promise<StoredEvidence>;
  /** Signs it off in the name of whoever asks; a second time by the same person changes nothing. */
  approve(reference: string, note: string): Promise<void>;
  /** By its number, by the drill's id or a unique beginning of it (4 characters or more). */
  find(reference: string): Promise<StoredEvidence>;
  /** Newest first. */
  list(request?: EvidenceFilter & PageRequest): Promise<Page<EvidenceEntry>>;
  /** Oldest first. */
  stream(filter: EvidenceFilter): AsyncIterable<StoredEvidence>;
}

const ROWS_PER_READ = 50;

export function evidence(database: Database): EvidenceRecords {
  return {
    head: () => database.read('reading the end of the evidence', headOf),

    record: (envelope) =>
      database.write('recording evidence', (transaction) => record(transaction, envelope)),

    approve: (reference, note) =>
      database.write('signing evidence off', async (transaction) => {
        await approve(transaction, database.actor, await find(transaction.query, reference), note);
      }),

    find: (reference) => database.read('looking for evidence', (query) => find(query, reference)),

    list: (request = {}) =>
      database.read('listing evidence', async (query) => {
        const limit = limitOf(request);
        const position = positionOf(request.cursor, ['number']);
        const entries = await query<EvidenceEntry>(
          `select ${ENTRY} from evidence where ${MATCHES} and ($4::bigint is null or sequence < $4)
            order by sequence desc limit $5`,
          [...wanted(request), position?.[0] ?? null, limit + 1],
        );
        return pageOf(entries, limit, ({ sequence }) => [sequence]);
      }),

    stream: (filter) => rowsOf(database, filter),
  };
}

const ENTRY = `sequence, drill_id as "drillId", drill, scenario, outcome, started_at as "startedAt",
  ended_at as "endedAt", recorded_at as "recordedAt", previous, digest, key_id as "keyId",
  ${approvalOf('evidence.sequence')}`;

const MATCHES = `($1::text is null or drill = $1) and ($2::timestamptz is null or ended_at >= $2)
  and ($3::timestamptz is null or ended_at < $3)`;

function wanted({ drill, from, to }: EvidenceFilter): (string | null)[] {
  return [drill ?? null, from ?? null, to ?? null];
}

async function record({ query, audit }: Transaction, envelope: string): Promise<StoredEvidence> {
  const { statement, keyId, payload } = read(envelope);
  const { sequence, previous, recordedAt, verdict, record: drill } = statement.predicate;
  // First, though it makes others wait: until the commit neither other evidence nor a rotation comes between.
  // No row is held that somebody waiting for the chain could want.
  await lockChain(query);
  const there = await ofDrill(query, drill.drill.id);
  if (there) return there;
  const head = await headOf(query);
  if (previous !== head.digest || sequence !== head.sequence + 1) {
    throw conflict(`it follows number ${sequence - 1}, and the last is number ${head.sequence}`);
  }
  if (!head.keys.has(keyId)) {
    const inForce = [...head.keys.keys()].join(', ');
    throw conflict(`it is signed by key ${keyId}, and in force is ${inForce || 'none'}`);
  }
  const stored: StoredEvidence = {
    ...{ sequence, previous, recordedAt, keyId, envelope },
    drillId: drill.drill.id,
    drill: drill.drill.name,
    scenario: drill.scenario,
    outcome: verdict.outcome,
    startedAt: drill.startedAt,
    endedAt: drill.endedAt,
    digest: sha256(envelope),
    approval: null,
  };
  const { drillId, scenario, outcome, startedAt, endedAt, digest } = stored;
  await query(
    `insert into evidence (sequence, drill_id, drill, scenario, outcome, started_at, ended_at, recorded_at,
       previous, digest, key_id, envelope) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      sequence,
      drillId,
      stored.drill,
      scenario,
      outcome,
      startedAt,
      endedAt,
      recordedAt,
      previous,
      digest,
      keyId,
      envelope,
    ],
  );
  const details = {
    sequence,
    drill: stored.drill,
    outcome,
    digest,
    payload: sha256(payload),
    previous,
    keyId,
  };
  audit({ action: EVIDENCE_RECORDED, subject: `drill/${drillId}`, details });
  return stored;
}

function read(envelope: string): { statement: Statement; keyId: string; payload: string } {
  const opened = readEnvelope(envelope);
  if (typeof opened !== 'string') {
    return { ...opened, statement: JSON.parse(opened.payload) as Statement };
  }
  throw new HoldfastError({
    code: 'internal',
    message: 'recording evidence failed',
    cause: opened,
    hint: 'this is a fault in Holdfast: please report it with the lines above',
  });
}

async function headOf(query: Query): Promise<EvidenceHead> {
  const [last] = await query<{ sequence: number; digest: string }>(
    'select sequence, digest from evidence order by sequence desc limit 1',
  );
  return { ...(last ?? { sequence: 0, digest: EVIDENCE_START }), keys: await keysInForce(query) };
}

/** As `AuditKeys` follows them: several hosts announce theirs side by side, and what was handed over is out for good. */
async function keysInForce(query: Query): Promise<EvidenceHead['keys']> {
  const events = await query<{ action: string; subject: string; details: Record<string, string> }>(
    'select action, subject, details from audit_events where action in ($1, $2) order by sequence',
    [KEY_CREATED, KEY_ROTATED],
  );
  const inForce: EvidenceHead['keys'] = new Map();
  const out = new Set<string>();
  for (const { action, subject, details } of events) {
    const { previous = '', publicKey = '', signature = '' } = details;
    const before = inForce.get(previous) ?? [];
    // Two hosts with copies of one key handed it over at once: the first did.
    if (action === KEY_ROTATED && !inForce.delete(previous)) continue;
    if (action === KEY_ROTATED) out.add(previous);
    const keyId = subject.replace(/^key\//, '');
    if (inForce.has(keyId) || out.has(keyId)) continue;
    inForce.set(keyId, action === KEY_CREATED ? [] : [...before, { previous, publicKey, signature }]);
  }
  return inForce;
}

async function ofDrill(query: Query, drillId: string): Promise<StoredEvidence | null> {
  const [row] = await query<StoredEvidence>(`select ${ENTRY}, envelope from evidence where drill_id = $1`, [
    drillId,
  ]);
  return row ?? null;
}

async function find(query: Query, reference: string): Promise<StoredEvidence> {
  const number = /^\d{1,15}$/.test(reference) ? Number(reference) : null;
  const rows = await query<StoredEvidence>(
    `select ${ENTRY}, envelope from evidence
      where sequence = $1 or drill_id = $2 or (length($2) >= 4 and starts_with(drill_id, $2))
      order by drill_id = $2 desc, sequence = $1 desc nulls last limit 2`,
    [number, reference],
  );
  const [first, second] = rows;
  const exact = first && (first.drillId === reference || first.sequence === number);
  if (first && (exact || !second)) return first;
  throw new HoldfastError({
    code: 'notFound',
    message: `there is no evidence ${reference}`,
    cause: second ? 'more than one drill begins so' : 'no evidence has this number, and no drill this id',
    hint: '`holdfast evidence list` shows what there is',
  });
}

async function* rowsOf(database: Database, filter: EvidenceFilter): AsyncGenerator<StoredEvidence> {
  for (let after = 0; ;) {
    const rows = await database.read('reading evidence', (query) =>
      query<StoredEvidence>(
        `select ${ENTRY}, envelope from evidence where ${MATCHES} and sequence > $4 order by sequence limit $5`,
        [...wanted(filter), after, ROWS_PER_READ],
      ),
    );
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < ROWS_PER_READ) return;
    after = last.sequence;
  }
}

function conflict(cause: string): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: 'the evidence was not recorded',
    cause,
    hint: 'nothing is lost: it is signed again and recorded with the next attempt',
    retryable: true,
  });
}
