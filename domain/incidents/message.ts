// What travels to a channel: fixed when it is put into the outbox, so that every attempt sends the same.

import type { JobType } from '../job.ts';
import type { Incident } from './condition.ts';
import type { DrillSummary } from './drill-summary.ts';
import type { Kind } from './plan.ts';

export type Message = IncidentMessage | DrillMessage | TestMessage | PingMessage;

interface MessageBase {
  /** UUID; the same in every attempt, so that whoever got it twice can tell. */
  id: string;
  createdAt: string;
}

export interface IncidentMessage extends MessageBase {
  kind: 'incidents';
  items: MessageItem[];
}

export interface MessageItem extends Incident {
  event: Kind;
  thread: string;
  endsThread: boolean;
}

/** How a drill ended, also that it passed. */
export interface DrillMessage extends MessageBase {
  kind: 'drill';
  result: DrillSummary;
  /** Its evidence, where the channel takes files. */
  files: { name: string; text: string }[];
}

/** Somebody tries the channel out. */
export interface TestMessage extends MessageBase {
  kind: 'test';
  by: string;
}

/** A sign of life for a watcher elsewhere, which speaks up when there is none. */
export interface PingMessage extends MessageBase {
  kind: 'ping';
  signal: 'start' | 'success' | 'fail';
  policy: string;
  jobId: string;
  jobType: JobType;
  words: string;
}
