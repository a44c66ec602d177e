// Drills: each is a job, with what it was to bring back and what came of it. Its record is kept as it was begun, so
// that a drill that is begun again goes on with the points it had chosen.

import type { ConfiguredDrills } from '../domain/drills/due.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { DrillOutcome } from '../domain/evidence/outcome.ts';
import type { DrillRecord, DrillScenario } from '../domain/evidence/record.ts';
import type { JobStatus } from '../domain/job.ts';
import type { NewJob, Page, PageRequest } from './catalog.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { jobIn } from './jobs.ts';
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
}

/** How the last drill of a name ended. */
interface DrillVerdictFact {
  drill: string;
  id: string;
  outcome: DrillOutcome;
  reason: string;
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
  /** Newest first. */
  list(request?: { drill?: string | null } & PageRequest): Promise<Page<DrillRow>>;
  /** The drills of every configuration that was applied, oldest first. */
  configured(): Promise<ConfiguredDrills[]>;
  /** Of each name the last that ended with evidence. */
  verdicts(): Promise<DrillVerdictFact[]>;
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
        const { record, outcome, reason, evidence, evidenceSequence } = result;
        const { rtoSeconds, rpoSeconds } = record.measured;
        await query(
          `update drills set record = $2, outcome = $3, reason = $4, rto_seconds = $5, rpo_seconds = $6,
             evidence = $7, evidence_sequence = $8 where id = $1`,
          [id, json(record), outcome, reason, rtoSeconds, rpoSeconds, evidence, evidenceSequence],
        );
        const details = { drill: record.drill.name, outcome, rtoSeconds, rpoSeconds, evidenceSequence };
        audit({ action: 'drill.ended', subject: `drill/${id}`, details });
      }),

    find: (reference) => database.read('looking up a drill', (query) => find(query, reference)),

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

    verdicts: () =>
      database.read('reading how drills ended', (query) =>
        query<DrillVerdictFact>(
          `select distinct on (drill) drill, id, outcome, coalesce(reason, '') as reason from drills
            where outcome is not null order by drill, started_at desc, id desc`,
        ),
      ),
  };
}

const COLUMNS = `id, drill, scenario, drills.repository, workflow_id as "workflowId", game_day as "gameDay", status,
  drills.started_at as "startedAt", ended_at as "endedAt", record, outcome, rto_seconds as "rtoSeconds",
  rpo_seconds as "rpoSeconds", evidence, evidence_sequence as "evidenceSequence"`;

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
