// The result of a drill as a person reads it: the verdict and its figures in the subject, so that who trusts them
// need not open it; then each asset, what failed with its next step, and how to check all of it.

import { formatDuration, writeDuration } from '../duration.ts';
import type { DrillSummary } from './drill-summary.ts';
import { indented, moment, oneLine, shortened } from './lines.ts';

const LISTED = 20;
const LONGEST_WORDS = 1_000;

/** `drill quarterly passed: 3 of 3 assets back in 41 s (RTO 4h), newest data 12 m old (RPO 1h)`. */
export function drillSubject({ drill, outcome, assets, rto, rpo }: DrillSummary): string {
  const back = assets.filter((asset) => asset.back).length;
  const within =
    rto.achievedSeconds === null ? '' : ` in ${formatDuration(rto.achievedSeconds)}${objective('RTO', rto)}`;
  const age =
    rpo.achievedSeconds === null
      ? ''
      : `, newest data ${formatDuration(rpo.achievedSeconds)} old${objective('RPO', rpo)}`;
  return `drill ${drill} ${VERDICTS[outcome]}: ${back} of ${assets.length} assets back${within}${age}`;
}

export function drillText(result: DrillSummary): string {
  const { drill, scenario, source, operator, startedAt, endedAt, failures, reasons, evidence } = result;
  const seconds = Math.max(0, (Date.parse(endedAt) - Date.parse(startedAt)) / 1000);
  const begun = operator === 'schedule' ? 'on its schedule' : `by ${oneLine(operator)}`;
  return [
    `Drill ${drill} played ${scenario} and was to rebuild everything from ${source} alone.${tookDown(result)}\nIt was begun ${begun} at ${moment(startedAt)} and ended after ${formatDuration(seconds)}: ${SAYS[result.outcome]}`,
    listed(result.assets, assetLine).join('\n'),
    ...listed(failures, ({ what, cause, next }) =>
      [
        `failed: ${oneLine(what)}`,
        ...(cause ? [`  cause: ${indented(shortened(cause, LONGEST_WORDS))}`] : []),
        ...(next ? [`  next:  ${indented(next)}`] : []),
      ].join('\n'),
    ),
    ...(reasons.length > 0 ? [listed(reasons, (words) => `why: ${oneLine(words)}`).join('\n')] : []),
    ...followUp(result),
    `phases: ${result.phases.map(({ name, seconds: took }) => `${name} ${formatDuration(took)}`).join(', ')}`,
    [
      `evidence ${evidence.sequence}: ${evidence.path}`,
      `  SHA-256 ${evidence.digest}`,
      `  check it:    \`holdfast evidence verify ${evidence.path} --public-key first.pub\``,
      `  sign it off: \`holdfast drill approve ${result.id.slice(0, 8)}\``,
    ].join('\n'),
    `See all: \`holdfast drill show ${result.id.slice(0, 8)}\``,
  ].join('\n\n');
}

const VERDICTS: Record<DrillSummary['outcome'], string> = {
  passed: 'passed',
  missed: 'missed an objective',
  failed: 'FAILED',
  inconclusive: 'is inconclusive',
};

const SAYS: Record<DrillSummary['outcome'], string> = {
  passed: 'everything came back as it was, within its objectives.',
  missed: 'everything came back, and an objective was missed.',
  failed: 'something did not come back as it was.',
  inconclusive: 'not everything was measured and compared. This is no pass.',
};

function tookDown({ gameDay, rpo }: DrillSummary): string {
  if (!gameDay) return '';
  return rpo.achievedSeconds === null
    ? ' It was to take the service itself down, and did not.'
    : ' It took the service itself down.';
}

function objective(name: string, { objectiveSeconds }: DrillSummary['rto']): string {
  return objectiveSeconds === null ? '' : ` (${name} ${writeDuration(objectiveSeconds)})`;
}

function assetLine({ asset, back, takenAt, ageSeconds, rtoSeconds }: DrillSummary['assets'][number]): string {
  if (takenAt === null || ageSeconds === null) return `${asset}: NOT BACK, there was no recovery point`;
  const after = rtoSeconds === null ? '' : ` after ${formatDuration(rtoSeconds)}`;
  const point = `from ${moment(takenAt)}, ${formatDuration(ageSeconds)} before the loss`;
  return `${asset}: ${back ? `back${after}` : 'NOT BACK as it was'}, ${point}`;
}

function followUp({ drill, actions, retests }: DrillSummary): string[] {
  const tested = retests.map(({ action, drill: id }) => `${action} of drill ${id.slice(0, 8)}`);
  const open = listed(actions, ({ id, what, owner }) => `  ${id} (${oneLine(owner)}): ${oneLine(what)}`);
  return [
    ...(tested.length > 0 ? [`It tested again: ${tested.join(', ')}`] : []),
    ...(open.length > 0
      ? [`corrective actions, tested again by the next \`holdfast drill run ${drill}\`:\n${open.join('\n')}`]
      : []),
  ];
}

function listed<Item>(items: readonly Item[], line: (item: Item) => string): string[] {
  const more = items.length - LISTED;
  return [...items.slice(0, LISTED).map(line), ...(more > 0 ? [`and ${more} more`] : [])];
}
