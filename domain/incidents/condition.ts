// What can be wrong for a while, and the incident made of it.

import { severities } from '../configuration/notification-types.ts';
import type { Severity, Topic } from '../configuration/notification-types.ts';

/** Something that is wrong now. */
export interface Condition {
  /** The same for as long as it lasts: `asset/orders/rpo`, `policy/daily/overdue`. */
  key: string;
  topic: Exclude<Topic, 'recovery' | 'page'>;
  severity: Severity;
  /** Those it concerns; empty: all of them. */
  policies: string[];
  asset: string | null;
  /** One line: what, and on which asset or policy. */
  title: string;
  /** The cause, in the tool's own words where it has some. */
  reason: string;
  /** A step to take, with its command. */
  next: string;
}

/** A condition that was seen, from its first sight until it has stayed away. */
export interface Incident extends Condition {
  /** `i-12`. */
  id: string;
  openedAt: string;
  lastSeenAt: string;
  resolvedAt: string | null;
}

export function severityRank(severity: Severity): number {
  return severities.indexOf(severity);
}
