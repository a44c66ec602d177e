// A message as a person reads it: first what, on what and since when; then the cause, the next step and where
// to see more.

import type { Severity } from '../configuration/notification-types.ts';
import { formatDuration } from '../duration.ts';
import { drillSubject, drillText } from './drill-words.ts';
import { indented, moment, oneLine, shortened } from './lines.ts';
import type { DrillMessage, IncidentMessage, MessageItem, TestMessage } from './message.ts';
import type { Kind } from './plan.ts';
import { severityRank } from './condition.ts';

type Told = IncidentMessage | DrillMessage | TestMessage;

/** More are counted, not listed. */
const LISTED = 20;
const LONGEST_REASON = 1_000;
const LONGEST_SUBJECT = 120;

/** One line. */
export function subjectOf(message: Told): string {
  if (message.kind === 'test') return 'Holdfast test message: nothing is wrong';
  if (message.kind === 'drill') return shortened(oneLine(drillSubject(message.result)), LONGEST_SUBJECT);
  const { items } = message;
  const [first] = items;
  if (first && items.length === 1)
    return shortened(oneLine(`${mark(first)}: ${first.title}`), LONGEST_SUBJECT);
  return shortened(`Holdfast: ${counted(items)}`, LONGEST_SUBJECT);
}

export function textOf(message: Told): string {
  if (message.kind === 'drill') return drillText(message.result);
  if (message.kind === 'test') {
    return [
      `This is a test message, asked for by ${oneLine(message.by)}. Nothing is wrong.`,
      'Incidents that this channel asks for arrive here: once when they open, once when they are over.',
    ].join('\n');
  }
  const listed = message.items.slice(0, LISTED).map(paragraph);
  const more = message.items.length - listed.length;
  return [
    ...(message.items.length > 1 ? [`${counted(message.items)}:`] : []),
    ...listed,
    ...(more > 0 ? [`and ${more} more.`] : []),
    'See all: `holdfast incidents list`, `holdfast status`',
  ].join('\n\n');
}

export function gravestOf(items: readonly MessageItem[]): Severity {
  return items.reduce<Severity>(
    (gravest, { severity }) => (severityRank(severity) > severityRank(gravest) ? severity : gravest),
    'info',
  );
}

function paragraph(item: MessageItem): string {
  const lines = [`${mark(item)}: ${oneLine(item.title)}, ${when(item)} (${item.id})`];
  if (item.event === 'resolved') return lines.join('\n');
  if (item.reason) lines.push(`  cause: ${indented(shortened(item.reason, LONGEST_REASON))}`);
  if (item.next) lines.push(`  next:  ${indented(item.next)}`);
  return lines.join('\n');
}

function mark({ event, severity }: MessageItem): string {
  return {
    opened: severity,
    escalated: `now ${severity}`,
    reminder: `still ${severity}`,
    resolved: 'resolved',
  }[event];
}

function when({ event, openedAt, resolvedAt }: MessageItem): string {
  const since = `since ${moment(openedAt)}`;
  if (event !== 'resolved' || resolvedAt === null) return since;
  const seconds = Math.max(0, (Date.parse(resolvedAt) - Date.parse(openedAt)) / 1000);
  return `over at ${moment(resolvedAt)} after ${formatDuration(seconds)}`;
}

/** `3 opened (1 page, 2 warning), 1 resolved`. */
function counted(items: readonly MessageItem[]): string {
  const kinds: [Kind, string][] = [
    ['opened', 'opened'],
    ['escalated', 'got worse'],
    ['reminder', 'still open'],
    ['resolved', 'resolved'],
  ];
  return kinds
    .map(([kind, words]) => {
      const of = items.filter(({ event }) => event === kind);
      if (of.length === 0) return '';
      return `${of.length} ${words}${kind === 'resolved' ? '' : ` (${bySeverity(of)})`}`;
    })
    .filter(Boolean)
    .join(', ');
}

function bySeverity(items: readonly MessageItem[]): string {
  return (['page', 'critical', 'warning', 'info'] as const)
    .map((severity) => [items.filter((item) => item.severity === severity).length, severity] as const)
    .filter(([count]) => count > 0)
    .map(([count, severity]) => `${count} ${severity}`)
    .join(', ');
}
