import { table } from '../cli/table.ts';
import type { Size } from './catalogue-seed.ts';
import type { Explained } from './explained.ts';

/** Milliseconds, of one question. */
export interface Answer {
  name: string;
  cold: number;
  warm: number[];
  explained: Explained[];
}

interface MeasuredScale {
  machine: { cores: number; load: number[]; node: string };
  size: Size;
  answers: Answer[];
}

/** What an answer may take, warm. */
const AIM_MILLISECONDS = 200;

export async function scaleReport({ machine, size, answers }: MeasuredScale): Promise<string> {
  const rows = answers.map(({ name, cold, warm }) => {
    const sorted = warm.toSorted((one, other) => one - other);
    const median = sorted[Math.floor(sorted.length / 2)] ?? NaN;
    return [
      name,
      cold.toFixed(0),
      [sorted[0] ?? NaN, median, sorted.at(-1) ?? NaN].map((value) => value.toFixed(0)).join(' / '),
      median <= AIM_MILLISECONDS ? 'yes' : 'NO',
    ];
  });
  return [
    `${size.policies} policies, ${size.points} recovery points; Node.js ${machine.node}, ${machine.cores} cores, ` +
      `load ${machine.load.map((load) => load.toFixed(1)).join(' → ')}`,
    '',
    await table(['MILLISECONDS', 'COLD', 'WARM min / median / max', `≤ ${AIM_MILLISECONDS}`], rows),
    '',
    'EXPLAIN (ANALYZE, BUFFERS), warm:',
    ...answers.flatMap(({ name, explained }) => [`  ${name}`, ...planLines(explained)]),
  ].join('\n');
}

/** Pages of one list have one plan: it is shown once. */
function planLines(explained: Explained[]): string[] {
  const plans = new Map<string, Explained[]>();
  for (const plan of explained) {
    const scans = plan.scans.join(', ');
    plans.set(scans, [...(plans.get(scans) ?? []), plan]);
  }
  return [...plans].map(([scans, same]) => {
    const sum = (of: (plan: Explained) => number) => same.reduce((total, plan) => total + of(plan), 0);
    const times = same.length === 1 ? '' : `${same.length} × `;
    return (
      `    ${times}${(sum(({ milliseconds }) => milliseconds) / same.length).toFixed(1)} ms, ` +
      `${sum(({ hit }) => hit)} pages hit, ${sum(({ read }) => read)} read: ${scans}`
    );
  });
}
