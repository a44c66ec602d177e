import { formatDuration, writeDuration } from '../domain/duration.ts';
import type { AssetHealth } from '../domain/objectives.ts';
import { statusCell } from './colours.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';
import { relative, when } from './when.ts';

interface Report {
  assets: AssetHealth[];
  sites: { name: string; health: string; reason: string }[];
  repositories: { name: string; health: string; reason: string }[];
  channels: { name: string; health: string; reason: string }[];
  incidents: { open: number; critical: number };
}

export async function statusText(report: Report, now = new Date()): Promise<string> {
  const { assets } = report;
  if (assets.length === 0) return 'no assets yet: write them into the configuration, then `holdfast apply`';
  const rpo = sharedObjective(assets.map((item) => item.rpo.objectiveSeconds));
  const rto = sharedObjective(assets.map((item) => item.rto.objectiveSeconds));
  const head = [
    'ASSET',
    'HEALTH',
    'PROTECTED UNTIL',
    'PROVEN UNTIL',
    heading('RPO', rpo),
    heading('RTO', rto),
    'NEXT RUN',
  ];
  const rows = assets.map((item) => [
    item.asset,
    statusCell(item.health),
    when(item.protectedUntil, now),
    when(item.provenUntil, now),
    measured(rpoWords(item), item.rpo.objectiveSeconds, rpo),
    measured(seconds(item.rto.measuredSeconds), item.rto.objectiveSeconds, rto),
    item.nextRunAt === null ? '-' : relative(item.nextRunAt, now),
  ]);
  const drawn = (await table(head, rows)).split('\n');
  const body = assets.flatMap((item, index) => [drawn[index + 1] ?? '', ...why(item)]);
  const places = [...report.sites, ...report.repositories, ...report.channels]
    .filter(({ health }) => health !== 'ok')
    .map(({ name, health, reason }) => printable(`${name} is ${health}: ${reason}`));
  return [drawn[0], ...body, ...places, ...openIncidents(report)].join('\n');
}

function openIncidents({ incidents: { open, critical } }: Report): string[] {
  if (open === 0) return [];
  const grave = critical > 0 ? ` (${critical} critical)` : '';
  return [`${open} open ${open === 1 ? 'incident' : 'incidents'}${grave}: \`holdfast incidents list\``];
}

/** Below the asset it is about: the reason, and what to do. */
function why({ health, reason, next }: AssetHealth): string[] {
  if (health === 'ok') return [];
  const lines = wrap(printable(reason), 96).map((line) => `  ${line}`);
  return next ? [...lines, `  next: ${printable(next)}`] : lines;
}

/** The objective all share, for the heading; undefined when they differ. */
function sharedObjective(objectives: (number | null)[]): number | null | undefined {
  const [first = null] = objectives;
  return objectives.every((objective) => objective === first) ? first : undefined;
}

function heading(name: string, shared: number | null | undefined): string {
  return shared ? `${name} ${writeDuration(shared)}` : name;
}

function measured(words: string, objective: number | null, shared: number | null | undefined): string {
  return shared === undefined && objective !== null ? `${words} of ${writeDuration(objective)}` : words;
}

/** `6 h / 30 h`: the age of what the policy's proof covers, and of what is proven. */
function rpoWords({ rpo }: AssetHealth): string {
  if (rpo.actualSeconds === rpo.verifiedSeconds) return seconds(rpo.actualSeconds);
  return `${seconds(rpo.actualSeconds)} / ${seconds(rpo.verifiedSeconds)}`;
}

function seconds(value: number | null): string {
  return value === null ? 'unknown' : formatDuration(value);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + word.length >= width) {
      lines.push(line);
      line = word;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  return [...lines, line];
}
