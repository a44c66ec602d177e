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
}

export function planIncidents(
  known: readonly OpenIncident[],
  conditions: readonly Condition[],
  channels: readonly NotificationChannel[],
  now: Date,
): IncidentPlan {
  const present = new Map(conditions.map((condition) => [condition.key, condition]));
  const byKey = new Map(known.map((incident) => [incident.key, incident]));
  const seen = known.flatMap((incident) => {
    const condition = present.get(incident.key);
    return condition ? [{ ...condition, severity: graver(condition.severity, incident.severity) }] : [];
  });
  const open = conditions.filter(({ key }) => !byKey.has(key));
  const resolved = known.filter((incident) => !present.has(incident.key) && hasSettled(incident, now));
  const messages = channels.map((channel) => ({
    channel: channel.name,
    items: [
      ...[...open, ...seen].flatMap((condition) =>
        tell(channel, condition, byKey.get(condition.key)?.told[channel.name], now),
      ),
      ...resolutions(channel, known, resolved),
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
