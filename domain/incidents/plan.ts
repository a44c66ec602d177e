// What has to change so that the incidents agree with what is wrong now, and who is told. Pure. A condition is
// one incident from its first sight until it has stayed away for a while: so one that comes and goes is told once.

import type { NotificationChannel, Severity } from '../configuration/notification-types.ts';
import { severityRank, type Condition, type Incident } from './condition.ts';
import { takesIncident, takesResolution } from './routing.ts';

/** Away for less, and a condition that returns is still the same incident. */
export const SETTLE_SECONDS = 300;

/** What a channel was last told of an incident, and in which thread (the first message's id). */
export interface Told {
  severity: Severity;
  at: string;
  thread: string;
}

export interface OpenIncident extends Incident {
  /** By channel. */
  told: Record<string, Told>;
}

export type Kind = 'opened' | 'escalated' | 'reminder' | 'resolved';

export interface PlannedItem {
  key: string;
  kind: Kind;
  /** null: this message begins it. */
  thread: string | null;
  /** Nothing else of the thread is open any more. */
  endsThread: boolean;
}

export interface IncidentPlan {
  open: Condition[];
  /** Still there, as it is now; the severity never falls while an incident lasts. */
  seen: Condition[];
  /** Keys of those that got graver; they are among `seen`. */
  escalated: string[];
  resolved: string[];
  /** At most one a channel: what opens at once is told at once. */
  messages: { channel: string; items: PlannedItem[] }[];
  /** What a channel was told by another message, from which reminders count. */
  noted: { channel: string; key: string; told: Told }[];
}

/** What was told beside the incidents, and needs no telling by them: how a drill ended. */
export interface ToldBeside {
  key: string;
  /** By channel; a message that was not taken in the end is not among them. */
  told: Record<string, BesideMessage>;
}

export interface BesideMessage extends Omit<Told, 'severity'> {
  /** false: it still waits, and may yet be refused. */
  delivered: boolean;
}

export function planIncidents(
  known: readonly OpenIncident[],
  conditions: readonly Condition[],
  channels: readonly NotificationChannel[],
  now: Date,
  beside: readonly ToldBeside[] = [],
): IncidentPlan {
  const toldBeside = new Map(beside.map(({ key, told }) => [key, told]));
  const present = new Map(conditions.map((condition) => [condition.key, condition]));
  const byKey = new Map(known.map((incident) => [incident.key, incident]));
  const seen = known.flatMap((incident) => {
    const condition = present.get(incident.key);
    return condition ? [{ ...condition, severity: graver(condition.severity, incident.severity) }] : [];
  });
  const open = conditions.filter(({ key }) => !byKey.has(key));
  const resolved = known.filter((incident) => !present.has(incident.key) && hasSettled(incident, now));
  const noted: IncidentPlan['noted'] = [];
  const toldOf = ({ key, severity }: Condition, channel: string): Told | undefined => {
    const own = byKey.get(key)?.told[channel];
    const other = toldBeside.get(key)?.[channel];
    if (!other || (own && Date.parse(own.at) >= Date.parse(other.at))) return own;
    const told = { severity, at: other.at, thread: own?.thread ?? other.thread };
    if (other.delivered) noted.push({ channel, key, told });
    return told;
  };
  const messages = channels.map((channel) => ({
    channel: channel.name,
    items: [
      ...[...open, ...seen].flatMap((condition) =>
        tell(channel, condition, toldOf(condition, channel.name), now),
      ),
      ...resolutions(channel, known, resolved).filter(
        ({ key }) => toldBeside.get(key)?.[channel.name] === undefined,
      ),
    ],
  }));
  return {
    open,
    seen,
    escalated: seen
      .filter(({ key, severity }) => severity !== byKey.get(key)?.severity)
      .map(({ key }) => key),
    resolved: resolved.map(({ key }) => key),
    messages: messages.filter(({ items }) => items.length > 0),
    noted,
  };
}

function graver(one: Severity, other: Severity): Severity {
  return severityRank(one) >= severityRank(other) ? one : other;
}

/** A clock that was set back must not keep it open for as long as it was wrong. */
function hasSettled({ lastSeenAt }: Incident, now: Date): boolean {
  const away = (now.getTime() - Date.parse(lastSeenAt)) / 1000;
  return away >= SETTLE_SECONDS || away < -SETTLE_SECONDS;
}

function tell(
  channel: NotificationChannel,
  condition: Condition,
  told: Told | undefined,
  now: Date,
): PlannedItem[] {
  if (!takesIncident(channel, condition)) return [];
  const item = { key: condition.key, thread: told?.thread ?? null, endsThread: false };
  if (!told) return [{ ...item, kind: 'opened' }];
  if (severityRank(condition.severity) > severityRank(told.severity)) return [{ ...item, kind: 'escalated' }];
  return isReminderDue(channel, condition, told, now) ? [{ ...item, kind: 'reminder' }] : [];
}

function isReminderDue(
  { remindEverySeconds }: NotificationChannel,
  { severity }: Condition,
  told: Told,
  now: Date,
): boolean {
  if (remindEverySeconds === null || severityRank(severity) < severityRank('critical')) return false;
  return now.getTime() - Date.parse(told.at) >= remindEverySeconds * 1000;
}

/** Only to those who were told that it began. */
function resolutions(
  channel: NotificationChannel,
  known: readonly OpenIncident[],
  resolved: readonly OpenIncident[],
): PlannedItem[] {
  if (!takesResolution(channel)) return [];
  const threadOf = (incident: OpenIncident) => incident.told[channel.name]?.thread;
  const stillOpen = known.filter((incident) => !resolved.includes(incident)).map(threadOf);
  const ended = new Set<string>();
  return resolved.flatMap((incident): PlannedItem[] => {
    const thread = threadOf(incident);
    if (thread === undefined) return [];
    const endsThread = !stillOpen.includes(thread) && !ended.has(thread);
    if (endsThread) ended.add(thread);
    return [{ key: incident.key, kind: 'resolved', thread, endsThread }];
  });
}
