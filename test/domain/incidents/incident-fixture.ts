import type { NotificationChannel } from '../../../domain/configuration/notification-types.ts';
import type { Condition } from '../../../domain/incidents/condition.ts';
import type { AssetHealth } from '../../../domain/objectives.ts';
import type { IncidentPlan, OpenIncident } from '../../../domain/incidents/plan.ts';

export function aCondition(key: string, change: Partial<Condition> = {}): Condition {
  return {
    key,
    topic: 'failure',
    severity: 'warning',
    policies: [],
    asset: null,
    title: `${key} is wrong`,
    reason: 'because',
    next: '`holdfast status`',
    ...change,
  };
}

type Slack = Extract<NotificationChannel, { type: 'slack' }>;

export function aChannel(name: string, change: Partial<Omit<Slack, 'type'>> = {}): NotificationChannel {
  return {
    name,
    type: 'slack',
    url: { kind: 'env', name: 'NOWHERE' },
    on: ['failure', 'objective', 'drill', 'channel', 'recovery'],
    severity: 'warning',
    policies: [],
    remindEverySeconds: null,
    ...change,
  };
}

export function healthOf(asset: string, change: Partial<AssetHealth> = {}): AssetHealth {
  return {
    asset,
    policy: 'daily',
    health: 'ok',
    rpo: { objectiveSeconds: 86_400, actualSeconds: 3600, verifiedSeconds: 3600 },
    rto: { objectiveSeconds: null, measuredSeconds: null },
    protectedUntil: null,
    provenUntil: null,
    damagedNewest: null,
    lastProvenAt: null,
    lastJob: null,
    nextRunAt: null,
    breaches: [],
    reason: '',
    next: '',
    ...change,
  };
}

/** Open incidents as the catalogue keeps them from one pass to the next, in memory. */
export function applied(known: OpenIncident[], plan: IncidentPlan, now: Date): OpenIncident[] {
  const at = now.toISOString();
  const seen = new Map(plan.seen.map((condition) => [condition.key, condition]));
  const next = [
    ...known
      .filter(({ key }) => !plan.resolved.includes(key))
      .map((incident) => {
        const condition = seen.get(incident.key);
        return condition ? { ...incident, ...condition, lastSeenAt: at } : { ...incident };
      }),
    ...plan.open.map((condition, index) => ({
      ...condition,
      id: `i-${at}-${index}`,
      openedAt: at,
      lastSeenAt: at,
      resolvedAt: null,
      told: {},
    })),
  ];
  for (const { channel, key, told } of plan.noted) {
    const incident = next.find((one) => one.key === key);
    if (incident) incident.told = { ...incident.told, [channel]: told };
  }
  for (const { channel, items } of plan.messages) {
    for (const { key, kind, thread } of items) {
      const incident = next.find((one) => one.key === key);
      if (!incident || kind === 'resolved') continue;
      const told = { severity: incident.severity, at, thread: thread ?? `${channel} ${at}` };
      incident.told = { ...incident.told, [channel]: told };
    }
  }
  return next;
}
