// What the drills of a period show for the controls an auditor asks about, and what they do not: a drill that was
// missed, failed, could not tell, or was due and not held stands there as that, also when a later one passed.

import { duesNotHeld, type DueDrill } from './due.ts';
import { exactly, integrityHolds, type DrillOutcome } from './outcome.ts';
import type { Statement } from './statement.ts';

export interface ControlReport {
  madeAt: string;
  period: { from: string; to: string };
  drills: ReportedDrill[];
  /** Due in the period and not held; null: no schedule is known, so nothing can be said. */
  notHeld: DueDrill[] | null;
  /** Corrective actions of these drills that no passed drill has tested again. */
  openActions: { sequence: number; action: string; what: string; owner: string; dueAt: string | null }[];
  controls: ControlResult[];
}

export interface ReportedDrill {
  sequence: number;
  id: string;
  name: string;
  scenario: string;
  source: string;
  endedAt: string;
  outcome: DrillOutcome;
  reasons: string[];
  rto: string;
  rpo: string;
  assets: string[];
  /** Drills that tested its corrective actions again, oldest first, also after the period. */
  retests: { sequence: number; outcome: DrillOutcome }[];
  /** Number of the first of them that passed. */
  retestedBy: number | null;
  /** Who signed its evidence off; null: nobody has. */
  approval: SignedOff | null;
}

interface SignedOff {
  by: string;
  at: string;
  note: string;
}

export interface ControlResult {
  control: string;
  asks: string;
  /** `notShown`: there was no drill that could show it. */
  state: 'shown' | 'missed' | 'notShown';
  /** Numbers of the evidence that passed for it. */
  by: number[];
  /** Every miss; empty only for `shown`. */
  misses: string[];
}

export interface ReportFacts {
  period: { from: string; to: string };
  /** Of drills that ended in the period, oldest first, each checked. */
  statements: readonly Statement[];
  /** Of those that ended after it: what went wrong in the period may have been tested again then. */
  later?: readonly Statement[];
  /** By the evidence's number. */
  approvals?: ReadonlyMap<number, SignedOff>;
  /** null: not known. */
  due: readonly DueDrill[] | null;
}

export function controlReport(given: ReportFacts, now: Date): ControlReport {
  const { period, statements, later = [], approvals, due } = given;
  const all = [...statements, ...later];
  const drills = statements.map((statement) => ({
    ...reported(statement, all),
    approval: approvals?.get(statement.predicate.sequence) ?? null,
  }));
  const notHeld = due && duesNotHeld(due, statements, now);
  const openActions = statements.flatMap((statement) => openActionsOf(statement, all));
  const facts: Facts = { drills, statements, period, now, notHeld: notHeld ?? [], openActions };
  const controls = CONTROLS.map((control) => judged(control, facts));
  return { madeAt: now.toISOString(), period, drills, notHeld, openActions, controls };
}

interface Facts extends Pick<ControlReport, 'drills' | 'openActions' | 'period'> {
  statements: readonly Statement[];
  notHeld: DueDrill[];
  now: Date;
}

interface Control {
  control: string;
  asks: string;
  misses(facts: Facts): string[];
}

const CONTROLS: Control[] = [
  {
    control: 'CIS 11.5',
    asks: 'test the recovery of backups quarterly, or more often, for a sample of the assets in scope',
    misses: (facts) => [...notPassed(facts), ...quartersWithout(facts), ...unheld(facts)],
  },
  {
    control: 'ISO 27001 A.8.13',
    asks: 'keep backup copies, and test them regularly as the backup policy says',
    misses: (facts) => [...notPassed(facts), ...unheld(facts), ...overdueActions(facts)],
  },
  {
    control: 'SOC 2 A1.2',
    asks: 'backup processes and recovery infrastructure that are operated and watched over: what was stored is what comes back',
    misses: (facts) => integrityMisses(facts),
  },
  {
    control: 'SOC 2 A1.3',
    asks: 'test the recovery plan procedures, so that systems are recovered within their objectives',
    misses: (facts) => [...notPassed(facts), ...unmeasured(facts), ...unheld(facts)],
  },
  {
    control: 'NIST CP-9',
    asks: 'test backups for reliability and integrity, restoring a sample of them',
    misses: (facts) => [...integrityMisses(facts), ...notPassed(facts), ...unheld(facts)],
  },
];

function judged({ control, asks, misses: missesOf }: Control, facts: Facts): ControlResult {
  const by = facts.drills.filter(({ outcome }) => outcome === 'passed').map(({ sequence }) => sequence);
  const misses = [...new Set(missesOf(facts))];
  if (facts.drills.length === 0 && facts.notHeld.length === 0) {
    return { control, asks, state: 'notShown', by, misses: ['no drill was held in this period'] };
  }
  return { control, asks, state: misses.length === 0 ? 'shown' : 'missed', by, misses };
}

function reported({ predicate }: Statement, all: readonly Statement[]): Omit<ReportedDrill, 'approval'> {
  const { sequence, record, verdict } = predicate;
  const { drill, measured, objectives, source } = record;
  return {
    sequence,
    id: drill.id,
    name: drill.name,
    scenario: record.scenario,
    source: source.repository,
    endedAt: record.endedAt,
    outcome: verdict.outcome,
    reasons: verdict.reasons.map(({ asset, what }) => (asset === null ? what : `${asset}: ${what}`)),
    rto: against(measured.rtoSeconds, objectives.rtoSeconds),
    rpo: against(measured.rpoSeconds, objectives.rpoSeconds),
    assets: record.assets.map(({ asset }) => asset),
    retests: retestsOf(drill.id, null, all),
    retestedBy: retestOf(drill.id, null, all),
  };
}

function against(measured: number | null, objective: number | null): string {
  const what = measured === null ? 'not measured' : exactly(measured);
  return objective === null ? what : `${what} of ${exactly(objective)}`;
}

/** Those that say they test that action, or any of that drill, again. */
function retestsOf(
  drillId: string,
  action: string | null,
  all: readonly Statement[],
): ReportedDrill['retests'] {
  const tests = (one: { drill: string; action: string }) =>
    one.drill === drillId && (action === null || one.action === action);
  return all
    .filter(({ predicate: { record } }) => record.drill.retests.some(tests))
    .map(({ predicate: { sequence, verdict } }) => ({ sequence, outcome: verdict.outcome }));
}

function retestOf(...which: Parameters<typeof retestsOf>): number | null {
  return retestsOf(...which).find(({ outcome }) => outcome === 'passed')?.sequence ?? null;
}

function openActionsOf({ predicate }: Statement, all: readonly Statement[]): ControlReport['openActions'] {
  const { record, sequence } = predicate;
  return record.actions
    .filter(({ id }) => retestOf(record.drill.id, id, all) === null)
    .map(({ id: action, what, owner, dueAt }) => ({ sequence, action, what, owner, dueAt }));
}

function notPassed({ drills }: Facts): string[] {
  return drills
    .filter(({ outcome }) => outcome !== 'passed')
    .map(({ sequence, name, outcome, reasons, retestedBy, retests }) => {
      const tested = retests.map((one) => `in number ${one.sequence}: ${one.outcome}`).join(', ');
      const failed = tested === '' ? 'not retested' : `retested ${tested}`;
      const retest = retestedBy === null ? failed : `retested and passed in number ${retestedBy}`;
      return `number ${sequence}, ${name}: ${outcome} (${reasons.join('; ')}); ${retest}`;
    });
}

function unheld({ notHeld }: Facts): string[] {
  return notHeld.map(({ drill, dueAt }) => `${drill} was due ${dueAt} and not held`);
}

function unmeasured({ drills, statements }: Facts): string[] {
  return drills.flatMap(({ sequence, name }, index) => {
    const record = statements[index]?.predicate.record;
    const { rtoSeconds = null, rpoSeconds = null } = record?.measured ?? {};
    const missing = [...(rtoSeconds === null ? ['RTO'] : []), ...(rpoSeconds === null ? ['RPO'] : [])];
    return missing.length === 0
      ? []
      : [`number ${sequence}, ${name}: ${missing.join(' and ')} was not measured`];
  });
}

function integrityMisses({ statements }: Facts): string[] {
  return statements.flatMap(({ predicate: { sequence, record } }) =>
    record.assets.flatMap(({ asset, integrity }) => {
      const holds = integrity && integrityHolds(integrity);
      if (holds === true) return [];
      const what = holds === false ? 'did not come back as it was' : 'was not compared with its backup';
      return [`number ${sequence}, ${record.drill.name}: ${asset} ${what}`];
    }),
  );
}

function overdueActions({ openActions, now }: Facts): string[] {
  return openActions
    .filter(({ dueAt }) => dueAt !== null && Date.parse(dueAt) < now.getTime())
    .map(({ sequence, action, what, dueAt }) => `number ${sequence}: ${action} (${what}) was due ${dueAt}`);
}

/** Calendar quarters that lie in the period and are over. */
function quartersWithout({ period, drills, now }: Facts): string[] {
  const [from, to] = [Date.parse(period.from), Math.min(Date.parse(period.to), now.getTime())];
  const missing: string[] = [];
  for (let quarter = Math.floor(quarterOf(from)); quarterStart(quarter + 1) <= to; quarter += 1) {
    const [begin, end] = [quarterStart(quarter), quarterStart(quarter + 1)];
    const passed = drills.some(({ outcome, endedAt }) => {
      const at = Date.parse(endedAt);
      return outcome === 'passed' && at >= begin && at < end;
    });
    if (begin < from || passed) continue;
    missing.push(`no drill passed in ${Math.floor(quarter / 4)}-Q${(quarter % 4) + 1}`);
  }
  return missing;
}

function quarterOf(time: number): number {
  const date = new Date(time);
  return date.getUTCFullYear() * 4 + Math.floor(date.getUTCMonth() / 3);
}

function quarterStart(quarter: number): number {
  return Date.UTC(Math.floor(quarter / 4), (quarter % 4) * 3);
}
