// Drills: each is a job, with what it was to bring back and what came of it. Its record is kept as it was begun, so
// that a drill that is begun again goes on with the points it had chosen.

import type { ConfiguredDrills } from '../domain/drills/due.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { ToldBeside } from '../domain/incidents/plan.ts';
import type { DrillOutcome } from '../domain/evidence/outcome.ts';
import type { DrillRecord, DrillScenario } from '../domain/evidence/record.ts';
import type { JobStatus } from '../domain/job.ts';
import type { NewJob, Page, PageRequest } from './catalog.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { jobIn } from './jobs.ts';
import { addMessage, type NewMessage } from './notification-outbox.ts';
import { approvalOf, type Approval } from './evidence-approvals.ts';
import { limitOf, pageOf, positionOf } from './page.ts';
import { CANDIDATES, onlyOne, rangeOfPrefix } from './reference.ts';
import { json } from './storable.ts';

export interface DrillRow {
  id: string;
  drill: string;
  scenario: DrillScenario;
  repository: string;
  workflowId: string;
  /** It takes the service itself down. */
  gameDay: boolean;
  status: JobStatus;
  startedAt: string;
  endedAt: string | null;
  /** null: it has not been planned yet. */
  record: DrillRecord | null;
  /** null: it has not ended, or was cancelled. */
  outcome: DrillOutcome | null;
  rtoSeconds: number | null;
  rpoSeconds: number | null;
  /** Path of the signed file on the host that ran it. */
  evidence: string | null;
  evidenceSequence: number | null;
  /** Who signed its evidence off; null: nobody has. */
  approval: Approval | null;
  /** Later drills that tested again what went wrong in it, oldest first. */
  retestedBy: Retest[];
}

export interface Retest {
  drill: string;
  /** Number of its evidence. */
  sequence: number;
  outcome: DrillOutcome;
}

export interface NewDrill extends Pick<DrillRow, 'drill' | 'scenario' | 'repository'> {
  job: NewJob;
  /** false if left out. */
  gameDay?: boolean;
}

export interface DrillResult {
  record: DrillRecord;
  outcome: DrillOutcome;
  /** The gravest, in words; empty where it passed. */
  reason: string;
  evidence: string;
  evidenceSequence: number;
  /** What tells of it: in the outbox with the result, or neither is. */
  messages: NewMessage[];
}

/** How the last drill of a name ended. */
interface DrillVerdictFact {
  drill: string;
  id: string;
  outcome: DrillOutcome;
  reason: string;
  /** By channel: the message that tells of it, unless it was not taken in the end. */
  told: ToldBeside['told'];
}

/** The newest drill of a name that was begun. */
interface DrillRunRow {
  drill: string;
  startedAt: string;
  status: JobStatus;
  hasVerdict: boolean;
}

export interface Drills {
  /** Begun once by its job's id. */
  begin(drill: NewDrill): Promise<DrillRow>;
  /** Keeps the first plan; a later one changes nothing. Returns what is kept. */
  plan(id: string, record: DrillRecord): Promise<DrillRecord>;
  /** What came of it; its job is ended by itself. */
  settle(id: string, result: DrillResult): Promise<void>;
  /** By id or a unique beginning of it. */
  find(reference: string): Promise<DrillRow>;
  /** Corrective actions of the drills of that name since the last that passed: what the next one tests again. */
  openActions(drill: string): Promise<{ drill: string; action: string }[]>;
  /** Newest first. */
  list(request?: { drill?: string | null } & PageRequest): Promise<Page<DrillRow>>;
  /** The drills of every configuration that was applied, oldest first. */
  configured(): Promise<ConfiguredDrills[]>;
  /** Of each name the last that ended with evidence, or was lost after it was planned: that one has failed. */
  verdicts(): Promise<DrillVerdictFact[]>;
  /** Of each name the newest, however far it came. */
  newestRuns(): Promise<DrillRunRow[]>;
}

export function drills(database: Database): Drills {
  return {
    begin: (drill) =>
      database.write(`beginning drill ${drill.drill}`, (transaction) => begin(transaction, drill)),

    plan: (id, record) =>
      database.write(`planning drill ${record.drill.name}`, async ({ query, audit }) => {
        const { record: kept } = await locked(query, id);
        if (kept) return kept;
        await query('update drills set record = $2 where id = $1', [id, json(record)]);
        const points = Object.fromEntries(
          record.assets.map(({ asset, point }) => [asset, point?.id ?? null]),
        );
        const details = { drill: record.drill.name, repository: record.source.repository, points };
        audit({ action: 'drill.planned', subject: `drill/${id}`, details });
        return record;
      }),

    settle: (id, result) =>
      database.write(`ending drill ${result.record.drill.name}`, async ({ query, audit }) => {
        const { outcome: before } = await locked(query, id);
        if (before !== null) return;
        const { record, outcome, reason, evidence, evidenceSequence, messages } = result;
        const { rtoSeconds, rpoSeconds } = record.measured;
        await query(
          `update drills set record = $2, outcome = $3, reason = $4, rto_seconds = $5, rpo_seconds = $6,
             evidence = $7, evidence_sequence = $8 where id = $1`,
          [id, json(record), outcome, reason, rtoSeconds, rpoSeconds, evidence, evidenceSequence],
        );
        await tell(query, id, messages);
        const told = messages.map(({ channel }) => channel);
        const details = { drill: record.drill.name, outcome, rtoSeconds, rpoSeconds, evidenceSequence, told };
        audit({ action: 'drill.ended', subject: `drill/${id}`, details });
      }),

    find: (reference) => database.read('looking up a drill', (query) => find(query, reference)),

    openActions: (drill) =>
      database.read('reading what waits for a retest', (query) => openActions(query, drill)),

    list: (request = {}) =>
      database.read('listing drills', async (query) => {
        const limit = limitOf(request);
        const position = positionOf(request.cursor, ['string', 'string']);
        const rows = await query<DrillRow>(
          `select ${COLUMNS} from drills join jobs using (id)
            where ($1::text is null or drill = $1)
              and ($2::timestamptz is null or (drills.started_at, id) < ($2, $3::uuid))
            order by drills.started_at desc, id desc limit $4`,
          [request.drill ?? null, position?.[0] ?? null, position?.[1] ?? null, limit + 1],
        );
        return pageOf(rows, limit, (row) => [row.startedAt, row.id]);
      }),

    configured: () =>
      database.read('reading when drills were due', (query) =>
        query<ConfiguredDrills>(
          `select coalesce(document -> 'drills', '[]'::jsonb) as drills, applied_at as since
             from configurations order by id`,
        ),
      ),

    newestRuns: () =>
      database.read('reading when drills began', (query) =>
        query<DrillRunRow>(
          `select distinct on (drill) drill, drills.started_at as "startedAt", status,
                  outcome is not null as "hasVerdict"
             from drills join jobs using (id) order by drill, drills.started_at desc, id desc`,
        ),
      ),

    verdicts: () =>
      database.read('reading how drills ended', (query) =>
        query<DrillVerdictFact>(
          `select distinct on (drill) drill, id, coalesce(outcome, 'failed') as outcome,
                  coalesce(reason, concat_ws(': ', error ->> 'message', error ->> 'cause')) as reason, ${TOLD}
             from drills join jobs using (id)
            where outcome is not null or (status = 'failed' and record is not null)
            order by drill, drills.started_at desc, id desc`,
        ),
      ),
  };
}

const COLUMNS = `id, drill, scenario, drills.repository, workflow_id as "workflowId", game_day as "gameDay", status,
  drills.started_at as "startedAt", ended_at as "endedAt", record, outcome, rto_seconds as "rtoSeconds",
  rpo_seconds as "rpoSeconds", evidence, evidence_sequence as "evidenceSequence",
  ${approvalOf('drills.evidence_sequence')},
  case when outcome = 'passed' then '[]'::jsonb else (
    select coalesce(jsonb_agg(jsonb_build_object('drill', later.id, 'sequence', later.evidence_sequence,
        'outcome', later.outcome) order by later.started_at), '[]'::jsonb)
      from drills as later
     where later.drill = drills.drill and later.started_at > drills.started_at and later.outcome is not null
       and later.record @> jsonb_build_object('drill', jsonb_build_object('retests',
             jsonb_build_array(jsonb_build_object('drill', drills.id))))) end as "retestedBy"`;

/** Messages long settled are no longer there: those were delivered, or their incident told in their place. */
const TOLD = `(
  select coalesce(jsonb_object_agg(name, sent || jsonb_build_object('delivered',
           message.id is null or message.settled_at is not null)), '{}'::jsonb)
    from jsonb_each(told) as one (name, sent)
    left join notification_messages as message on message.id = (sent ->> 'thread')::uuid
   where message.outcome is null or message.outcome = 'delivered') as told`;

async function begin(
  transaction: Transaction,
  { job, drill, scenario, repository, gameDay = false }: NewDrill,
): Promise<DrillRow> {
  const { query } = transaction;
  await query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`drill/${drill}`]);
  await refuseSecond(query, drill, job.id);
  await jobIn(transaction, job);
  await query(
    `insert into drills (id, drill, scenario, repository, started_at, game_day)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [job.id, drill, scenario, repository, job.startedAt, gameDay],
  );
  return read(query, job.id);
}

/** Each channel once, whoever asks again. */
async function tell(query: Query, id: string, messages: readonly NewMessage[]): Promise<void> {
  for (const message of messages) await addMessage(query, message);
  const told = messages.map(({ channel, content }) => [
    channel,
    { at: content.createdAt, thread: content.id },
  ]);
  await query('update drills set told = $2 where id = $1', [id, json(Object.fromEntries(told))]);
}

/** Drills of other names may be held beside it, also from the same repository. */
async function refuseSecond(query: Query, drill: string, id: string): Promise<void> {
  const [other] = await query<{ id: string; workflowId: string }>(
    `select id, workflow_id as "workflowId" from drills join jobs using (id)
      where drill = $1 and id <> $2 and status in ('running', 'waiting') limit 1`,
    [drill, id],
  );
  if (!other) return;
  throw new HoldfastError({
    code: 'request.conflict',
    message: `drill ${drill} is being held already`,
    cause: `job ${other.id}, workflow ${other.workflowId}`,
    hint: `wait for it (\`holdfast drill show ${other.id.slice(0, 8)}\`), or cancel it first (\`holdfast jobs cancel ${other.id.slice(0, 8)}\`)`,
  });
}

async function locked(query: Query, id: string): Promise<DrillRow> {
  await query('select from drills where id = $1 for update', [id]);
  return read(query, id);
}

async function openActions(query: Query, drill: string): Promise<{ drill: string; action: string }[]> {
  const rows = await query<Pick<DrillRow, 'id' | 'record'>>(
    `select id, record from drills
      where drill = $1 and outcome <> 'passed' and started_at > coalesce(
        (select max(started_at) from drills where drill = $1 and outcome = 'passed'), '-infinity')
      order by started_at, id`,
    [drill],
  );
  return rows.flatMap(({ id, record }) =>
    (record?.actions ?? []).map((one) => ({ drill: id, action: one.id })),
  );
}

async function find(query: Query, reference: string): Promise<DrillRow> {
  const range = rangeOfPrefix(reference);
  const rows = range
    ? await query<{ id: string }>('select id from drills where id between $1 and $2 order by id limit $3', [
        range.from,
        range.to,
        CANDIDATES,
      ])
    : [];
  const ids = rows.map(({ id }) => id);
  return read(query, onlyOne(ids, 'drill', reference, 'notFound', 'holdfast drill list'));
}

async function read(query: Query, id: string): Promise<DrillRow> {
  const [row] = await query<DrillRow>(`select ${COLUMNS} from drills join jobs using (id) where id = $1`, [
    id,
  ]);
  if (row) return row;
  throw new HoldfastError({
    code: 'notFound',
    message: `there is no drill ${id}`,
    cause: 'the catalogue has none with this id',
    hint: '`holdfast drill list` shows what there is',
  });
}
