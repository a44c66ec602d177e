import type { Outcome } from './outcome.ts';

/** One job is told as it is, several as a list; of their ends the gravest counts, and one in part is the least grave. */
export function together(outcomes: Outcome[]): Outcome {
  const [only] = outcomes;
  if (only && outcomes.length === 1) return only;
  const bad = outcomes.filter(({ exitCode = 0, error }) => exitCode !== 0 || error);
  const gravest = bad.find(({ exitCode }) => exitCode !== 3) ?? bad[0];
  return {
    ...gravest,
    data: { items: outcomes.map(({ data }) => data), next: null },
    text: async () => {
      const texts: string[] = [];
      for (const { text } of outcomes) texts.push((await text?.()) ?? '');
      return texts.join('\n\n');
    },
  };
}
