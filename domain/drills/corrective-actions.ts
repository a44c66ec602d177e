// What has to be set right after a drill that did not pass: one action for each thing that went wrong, owned by
// somebody, and tested again by the next drill of that name. Derived from the record, so that it is the same whoever
// asks, and however often.

import { verdictOf, type OutcomeReason } from '../evidence/outcome.ts';
import type { CorrectiveAction, DrillFailure, DrillRecord } from '../evidence/record.ts';

export function withCorrectiveActions(record: DrillRecord): DrillRecord {
  const { drill, operator, failures } = record;
  const { outcome, reasons } = verdictOf(record);
  if (outcome === 'passed') return record;
  const words = [
    ...failures.map(asFailed),
    ...reasons.filter((reason) => isItsOwn(reason, failures)).map(asReason),
  ];
  const actions = [...new Set(words)].map((what, index): CorrectiveAction => ({
    id: `a${index + 1}`,
    what: what.slice(0, LONGEST_WORDS),
    owner: drill.owner ?? operator,
    dueAt: null,
    retestBy: drill.name,
  }));
  return { ...record, actions };
}

/** As long as a record's texts may be. */
const LONGEST_WORDS = 10_000;

function asFailed({ asset, message, hint }: DrillFailure): string {
  const what = hint || `set right: ${message}`;
  return asset === null ? what : `${asset}: ${what}`;
}

/** What followed from a failure is set right with it: it needs no action of its own. */
function isItsOwn({ asset, outcome }: OutcomeReason, failures: readonly DrillFailure[]): boolean {
  if (failures.length === 0) return true;
  if (outcome === 'inconclusive') return false;
  return asset !== null && !failures.some((failure) => failure.asset === asset);
}

function asReason({ asset, outcome, what }: OutcomeReason): string {
  const verb = { failed: 'set right', missed: 'come within the objective', inconclusive: 'have it shown' };
  return `${verb[outcome]}: ${asset === null ? what : `${asset}: ${what}`}`;
}
