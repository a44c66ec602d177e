import type { NotificationChannel } from '../configuration/notification-types.ts';
import { severityRank, type Condition } from './condition.ts';

/** By topic, severity and policy. No channel is told of its own failure: it would not take that either. */
export function takesIncident(channel: NotificationChannel, condition: Condition): boolean {
  if (channel.type === 'healthchecks' || condition.key === `channel/${channel.name}`) return false;
  const wanted =
    channel.on.includes(condition.topic) || (channel.on.includes('page') && condition.severity === 'page');
  const graveEnough = severityRank(condition.severity) >= severityRank(channel.severity);
  const concerned =
    channel.policies.length === 0 ||
    condition.policies.length === 0 ||
    condition.policies.some((policy) => channel.policies.includes(policy));
  return wanted && graveEnough && concerned;
}

/** PagerDuty closes by it what it opened: else somebody is called for what is over. */
export function takesResolution(channel: NotificationChannel): boolean {
  return channel.type === 'pagerduty' || channel.on.includes('recovery');
}
