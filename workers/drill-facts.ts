// What is known of the drills that are configured: how the last one of each ended, and which were due and left
// nothing.

import type { Catalog } from '../catalog/index.ts';
import type { Configuration } from '../domain/configuration/types.ts';
import { drillsDue } from '../domain/drills/due.ts';
import { policiesOfDrill } from '../domain/drills/scope.ts';
import { isHeld, lastDueOf } from '../domain/incidents/drills-not-held.ts';
import type { DrillFact, DrillRunFact } from '../domain/incidents/facts.ts';

export async function drillFacts(catalog: Catalog, configuration: Configuration): Promise<DrillFact[]> {
  if (configuration.drills === undefined) return [];
  return (await catalog.drills.verdicts()).flatMap((verdict): DrillFact[] => {
    const drill = configuration.drills?.find(({ name }) => name === verdict.drill);
    return drill ? [{ ...verdict, policies: policiesOfDrill(configuration, drill) }] : [];
  });
}

export async function drillsNotHeld(
  catalog: Catalog,
  configuration: Configuration,
  now: Date,
): Promise<DrillRunFact[]> {
  const due = (configuration.drills ?? []).flatMap((drill) => {
    const at = lastDueOf(drill, now);
    return at === null ? [] : [{ drill, at }];
  });
  if (due.length === 0) return [];
  const newest = new Map((await catalog.drills.newestRuns()).map((run) => [run.drill, run]));
  const missing = due.filter(({ drill, at }) => !isHeld(at, newest.get(drill.name) ?? null));
  if (missing.length === 0) return [];
  // Only now: of a thousand policies, every configuration that ever was is much to read.
  const history = await catalog.drills.configured();
  return missing
    .filter(({ drill, at }) =>
      drillsDue(history, new Date(at.getTime() - 1), at).some((one) => one.drill === drill.name),
    )
    .map(({ drill, at }) => ({
      ...{ drill: drill.name, dueAt: at.toISOString() },
      policies: policiesOfDrill(configuration, drill),
      newest: newest.get(drill.name) ?? null,
    }));
}
