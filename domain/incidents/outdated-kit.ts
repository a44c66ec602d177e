import type { Condition } from './condition.ts';
import type { KitFact } from './facts.ts';

/** Nobody is woken for it; but a kit that was not replaced in so long will not have been when it is needed. */
const PATIENCE_SECONDS = 3 * 86_400;
/** The first one is written within moments of the `apply` that asks for it. */
const FIRST_KIT_SECONDS = 300;

/**
 * Where one is configured, until it was written. Then, until somebody says that the copies outside of this house are
 * those that hold.
 */
export function outdatedKit(kit: KitFact | null, now: Date): Condition[] {
  if (kit === null) return [];
  const since = kit.writtenAt === null ? kit.configuredAt : (kit.outdatedAt ?? kit.writtenAt);
  const seconds = (now.getTime() - Date.parse(since)) / 1000;
  const late = seconds >= PATIENCE_SECONDS;
  const common = {
    key: 'kit/outdated',
    topic: 'failure' as const,
    severity: late ? ('warning' as const) : ('info' as const),
    policies: [],
    asset: null,
  };
  if (kit.writtenAt === null) {
    if (seconds < FIRST_KIT_SECONDS) return [];
    return [
      {
        ...common,
        title: 'the recovery kit was never written',
        reason: `one is configured since ${kit.configuredAt} or longer, and writing it has not succeeded`,
        next: '`holdfast kit export`, which says what stops it',
      },
    ];
  }
  if (kit.outdatedAt !== null) {
    return [
      {
        ...common,
        title: 'the recovery kit does not say what is true any more',
        reason: `what it says was changed after it was written at ${kit.writtenAt}`,
        next: '`holdfast kit export`, then replace the printed and the stored copies',
      },
    ];
  }
  if (kit.confirmed) return [];
  return [
    {
      ...common,
      title: 'the recovery kit changed: replace the printed and the stored copies',
      reason: `it was written anew at ${kit.writtenAt}, and nobody has said that the copies were replaced`,
      next: `take both files from ${kit.folder}, then \`holdfast kit confirm\``,
    },
  ];
}
