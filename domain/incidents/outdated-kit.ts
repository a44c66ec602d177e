import type { Condition } from './condition.ts';
import type { KitFact } from './facts.ts';

/** Nobody is woken for it; but a kit that was not replaced in so long will not have been when it is needed. */
const PATIENCE_SECONDS = 3 * 86_400;

/** Until somebody says that the copies outside of this house are those that hold. */
export function outdatedKit(kit: KitFact | null, now: Date): Condition[] {
  if (kit === null || (kit.confirmed && kit.outdatedAt === null)) return [];
  const since = Date.parse(kit.outdatedAt ?? kit.writtenAt);
  const late = now.getTime() - since >= PATIENCE_SECONDS * 1000;
  const common = {
    key: 'kit/outdated',
    topic: 'failure' as const,
    severity: late ? ('warning' as const) : ('info' as const),
    policies: [],
    asset: null,
  };
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
  return [
    {
      ...common,
      title: 'the recovery kit changed: replace the printed and the stored copies',
      reason: `it was written anew at ${kit.writtenAt}, and nobody has said that the copies were replaced`,
      next: `take both files from ${kit.folder}, then \`holdfast kit confirm\``,
    },
  ];
}
