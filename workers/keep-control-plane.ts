import type { Catalog } from '../catalog/index.ts';
import { whyDue } from '../domain/control-plane/due.ts';
import { controlPlaneIn } from '../domain/control-plane/where.ts';
import type { ControlPlaneInput } from '../workflows/messages.ts';

/** More would take the places of the host's steps from backups where several repositories do not answer. */
const AT_ONCE = 2;

/**
 * One look: has the control plane stored wherever that is due. By the catalogue alone, so that nothing that happens
 * has to think of it; two workers that look at once start one, as the other one's is refused.
 */
export async function keepControlPlane(
  catalog: Catalog,
  start: (input: ControlPlaneInput, at: Date) => Promise<void>,
  now: Date,
): Promise<void> {
  const applied = await catalog.configurations.current();
  if (!applied) return;
  const { everySeconds, repositories } = controlPlaneIn(applied.configuration);
  if (repositories.length === 0) return;
  const states = await catalog.controlPlane.states(repositories);
  const room = AT_ONCE - states.filter(({ open }) => open !== null).length;
  const due = states.filter((state) => whyDue(state, everySeconds, now) !== null);
  for (const { repository } of longestAgoFirst(due).slice(0, Math.max(0, room))) {
    await start({ repository, trigger: 'schedule', actor: 'schedule' }, now);
  }
}

function longestAgoFirst<T extends { last: { endedAt: string } | null }>(states: readonly T[]): T[] {
  return [...states].sort((one, other) => ((one.last?.endedAt ?? '') < (other.last?.endedAt ?? '') ? -1 : 1));
}
