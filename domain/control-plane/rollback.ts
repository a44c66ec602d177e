// A repository that lost what was stored in it: somebody put an older state of it back, or another one lies in its
// place.

/** What the repository no longer has, for a person; ids in full, since they are what is asked for next. */
export function rollbackWords({ foundAt, missing }: { foundAt: string; missing: readonly string[] }): string {
  const named = missing.slice(0, NAMED).join(', ');
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : '';
  const points = missing.length === 1 ? 'recovery point' : 'recovery points';
  return `at ${foundAt} it no longer had ${missing.length} ${points} that were stored there: ${named}${more}`;
}

const NAMED = 20;
