import { formatDuration, writeDuration } from '../domain/duration.ts';
import type { AssetHealth } from '../domain/objectives.ts';
import type { ObjectiveFigures } from '../domain/objectives/figures.ts';
import { statusCell } from './colours.ts';
import { printable } from './printable.ts';
import { repositoryNotes, type RepositoryLine } from './repository-text.ts';
import {
  assetFigureLines,
  notableRepositories,
  repositoryLine,
  type RepositoryFigures,
} from './status-figures.ts';
import { table } from './table.ts';
import { unreadLines, type OldestUnread } from './verification-text.ts';
import { exact, relative, when } from './when.ts';

export interface StatusReport {
  assets: Item[];
  sites: { name: string; health: string; reason: string }[];
  repositories: (RepositoryLine & RepositoryFigures & { oldestUnread: OldestUnread | null })[];
  channels: { name: string; health: string; reason: string }[];
  incidents: { open: number; critical: number };
}

interface Item extends AssetHealth, ObjectiveFigures {
  paused: { since: string; by: string; reason: string } | null;
}

/** `wide`: with every figure, not only those that want attention. */
export async function statusText(report: StatusReport, wide = false, now = new Date()): Promise<string> {
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
  const body = assets.flatMap((item, index) => [
    drawn[index + 1] ?? '',
    ...why(item),
    ...(wide ? assetFigureLines(item) : []),
  ]);
  const places = [...report.sites, ...report.repositories, ...report.channels]
    .filter(({ health }) => health !== 'ok')
    .map(({ name, health, reason }) => printable(`${name} is ${health}: ${reason}`));
  const growth = wide
    ? report.repositories.map((repository) => repositoryLine(repository, now))
    : notableRepositories(report.repositories, now);
  const unread = unreadLines(report.repositories, now);
  const notes = repositoryNotes(report.repositories, now);
  return [drawn[0], ...body, ...places, ...notes, ...unread, ...growth, ...openIncidents(report)].join('\n');
}

function openIncidents({ incidents: { open, critical } }: StatusReport): string[] {
  if (open === 0) return [];
  const grave = critical > 0 ? ` (${critical} critical)` : '';
  return [`${open} open ${open === 1 ? 'incident' : 'incidents'}${grave}: \`holdfast incidents list\``];
}

/** Below the asset it is about: the reason, and what to do. */
function why({ health, reason, next, paused }: Item): string[] {
  const pause = paused
    ? [
        `  ${printable(`its policy is paused since ${exact(paused.since)} by ${paused.by}: ${paused.reason}`)}`,
      ]
    : [];
  if (health === 'ok') return pause;
  const lines = [...pause, ...wrap(printable(reason), 96).map((line) => `  ${line}`)];
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
