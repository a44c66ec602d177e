import type { DrillIntegrity } from '../../domain/evidence/record.ts';
import type { Rehearsed } from './source.ts';

/** What a rehearsal found, as evidence has it. */
export function integrityOf({ report, expected, found }: Rehearsed): DrillIntegrity {
  const differences = report.checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
  // Where nothing was noted at the backup there is nothing to differ from: its checks stand beside it.
  const noted = Object.values(expected).some((figure) => figure !== null);
  return {
    ...{ expected, restored: found },
    differences: noted ? differences.slice(0, 100).map((words) => words.slice(0, 10_000)) : [],
  };
}
