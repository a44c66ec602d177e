// Where incidents are told, as the program uses it. Plain JSON with references to secrets: a web hook's address
// is one, since whoever has it can write there.

import type { SecretReference } from '../secret-reference.ts';

export const severities = ['info', 'warning', 'critical', 'page'] as const;
/** `page`: worth waking somebody for. */
export type Severity = (typeof severities)[number];

/** What a channel may ask for. `recovery`: that it is over; `page`: whatever has that severity, of any topic. */
export const topics = ['failure', 'objective', 'drill', 'channel', 'recovery', 'page'] as const;
export type Topic = (typeof topics)[number];

export type NotificationChannel =
  SmtpChannel | WebhookChannel | SlackChannel | NtfyChannel | PagerDutyChannel | HealthchecksChannel;

interface ChannelBase {
  name: string;
  on: Topic[];
  /** Less is not told here. */
  severity: Severity;
  /** Empty: every policy, and what concerns none. */
  policies: string[];
  /** How long a critical incident stays untold of again; null: it is told once. */
  remindEverySeconds: number | null;
}

export interface SmtpChannel extends ChannelBase {
  type: 'smtp';
  /** `smtps://user:password@host:465`, or `smtp://…`, which off this machine has to start TLS. */
  url: SecretReference;
  from: string;
  to: string[];
}

export interface WebhookChannel extends ChannelBase {
  type: 'webhook';
  url: SecretReference;
  /** Signs every request. */
  secret: SecretReference;
}

export interface SlackChannel extends ChannelBase {
  type: 'slack';
  url: SecretReference;
}

export interface NtfyChannel extends ChannelBase {
  type: 'ntfy';
  /** With the topic, which on a public server is a password. */
  url: SecretReference;
  token: SecretReference | null;
}

export interface PagerDutyChannel extends ChannelBase {
  type: 'pagerduty';
  routingKey: SecretReference;
  /** Of the Events API v2, without a path. */
  endpoint: string;
}

/** Is pinged at the start and the end of each backup of its one policy; incidents are not told here. */
export interface HealthchecksChannel extends ChannelBase {
  type: 'healthchecks';
  url: SecretReference;
}
