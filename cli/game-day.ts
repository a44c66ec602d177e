// What a game day asks of a person before it begins, and tells afterwards. The service itself refuses one that is not
// confirmed: what is asked here is only so that a person at a terminal need not run the command twice.

import type { DrillMoment } from '../domain/evidence/record.ts';

/** The drill's name as the person confirmed it; null: nobody was there to ask. */
export async function confirmedBy(
  drill: string,
  given: string | undefined,
  ask: { terminal: boolean },
): Promise<string | null> {
  if (given !== undefined) return given;
  if (!ask.terminal) return null;
  const { terminalPrompts } = await import('./init-prompts.ts');
  return terminalPrompts().text({
    message: `This takes the service down for real and restores over what is there. Type the drill's name (${drill}) to go ahead`,
    check: (text) => (text === drill ? undefined : `that is not ${drill}; Ctrl-C leaves everything as it is`),
  });
}

/** One line a moment, as seconds since the first. */
export function timelineText(timeline: readonly DrillMoment[]): string[] {
  const [first] = timeline;
  if (!first) return [];
  return [
    'timeline:',
    ...timeline.map(({ at, asset, what }) => {
      const seconds = Math.max(0, (Date.parse(at) - Date.parse(first.at)) / 1000);
      return `  ${at}  ${`+${seconds.toFixed(1)} s`.padStart(10)}  ${asset === null ? '' : `${asset}: `}${what}`;
    }),
  ];
}
