import type { NotificationChannel } from '../configuration/notification-types.ts';
import type { DrillOutcome } from '../evidence/outcome.ts';
import { severityRank, type Condition } from './condition.ts';
import { severityOfDrill } from './drill-summary.ts';

/** By topic, severity and policy. No channel is told of its own failure: it would not take that either. */
export function takesIncident(channel: NotificationChannel, condition: Condition): boolean {
  if (channel.type === 'healthchecks' || condition.key === `channel/${channel.name}`) return false;
  const wanted =
    channel.on.includes(condition.topic) || (channel.on.includes('page') && condition.severity === 'page');
  const graveEnough = severityRank(condition.severity) >= severityRank(channel.severity);
  return wanted && graveEnough && concerns(channel, condition.policies);
}

/**
 * The result of a drill, also that it passed: to whoever asks for drills, so that no news is no good news. A channel
 * for what is grave alone is told of nothing less, and PagerDuty of incidents only: a result is nothing to resolve.
 */
export function takesDrillResult(
  channel: NotificationChannel,
  outcome: DrillOutcome,
  policies: readonly string[],
): boolean {
  if (channel.type === 'healthchecks' || channel.type === 'pagerduty') return false;
  const rank = Math.max(severityRank('warning'), severityRank(severityOfDrill(outcome)));
  return (
    channel.on.includes('drill') && rank >= severityRank(channel.severity) && concerns(channel, policies)
  );
}

function concerns(channel: NotificationChannel, policies: readonly string[]): boolean {
  const all = channel.policies.length === 0 || policies.length === 0;
  return all || policies.some((policy) => channel.policies.includes(policy));
}

/** PagerDuty closes by it what it opened: else somebody is called for what is over. */
export function takesResolution(channel: NotificationChannel): boolean {
  return channel.type === 'pagerduty' || channel.on.includes('recovery');
}
