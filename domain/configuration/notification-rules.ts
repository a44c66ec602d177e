// What must hold between channels and policies, and what a configuration of channels hardly means.

import { valueAt } from './findings.ts';
import type { NotificationChannel } from './notification-types.ts';
import type { Finding, Path } from './problem.ts';
import type { Configuration } from './types.ts';

/** Looks at the document as written, as the other rules do. */
export function brokenNotifications(document: unknown): Finding[] {
  const policies = textsIn(document, ['policies']);
  const names = textsIn(document, ['notifications']);
  return itemsOf(document, ['notifications']).flatMap((path, index) => [
    ...sameName(names, path, index),
    ...unknownPolicies(document, path, policies),
    ...oneCheckForMany(document, path, policies),
  ]);
}

export function notificationWarnings({ policies, notifications = [] }: Configuration): Finding[] {
  if (policies.length === 0) return [];
  const telling = notifications.filter(({ type }) => type !== 'healthchecks');
  if (telling.length === 0) {
    return [
      {
        path: notifications.length === 0 ? ['policies'] : ['notifications'],
        atKey: true,
        message: 'nobody is told when a backup fails or an objective is missed',
        fix: 'add notifications: [{ name: ops, type: smtp, url: env:SMTP_URL, to: [ops@example.org] }]',
      },
    ];
  }
  return (['failure', 'objective'] as const).flatMap((topic) =>
    policies.some(({ name }) => !telling.some((channel) => takes(channel, topic, name)))
      ? [
          {
            path: ['notifications'],
            atKey: true,
            message: `no channel is told of every policy's ${topic === 'failure' ? 'failures' : 'missed objectives'}`,
            fix: `add ${topic} to the on of a channel that is for all policies`,
          },
        ]
      : [],
  );
}

function takes(
  { on, policies, severity }: NotificationChannel,
  topic: 'failure' | 'objective',
  policy: string,
) {
  const all = policies.length === 0 || policies.includes(policy);
  return all && on.includes(topic) && (severity === 'info' || severity === 'warning');
}

function sameName(names: (string | null)[], path: Path, index: number): Finding[] {
  const name = names[index];
  const first = names.indexOf(name ?? null);
  if (typeof name !== 'string' || first === index) return [];
  return [
    {
      path: [...path, 'name'],
      firstAt: ['notifications', first, 'name'],
      message: 'another channel has this name',
      fix: 'rename one of them',
    },
  ];
}

function unknownPolicies(document: unknown, path: Path, policies: (string | null)[]): Finding[] {
  return itemsOf(document, [...path, 'policies']).flatMap((place) => {
    const name = valueAt(document, place);
    if (typeof name !== 'string' || policies.includes(name)) return [];
    return [{ path: place, message: 'no policy has this name', fix: 'define it under policies' }];
  });
}

/** The success of one policy would hide the silence of another. */
function oneCheckForMany(document: unknown, path: Path, policies: (string | null)[]): Finding[] {
  if (valueAt(document, [...path, 'type']) !== 'healthchecks') return [];
  const named = itemsOf(document, [...path, 'policies']).length;
  if (named === 1 || (named === 0 && policies.length <= 1)) return [];
  const fix = 'give each policy a check and a channel of its own, with policies: [NAME]';
  return [{ path, message: 'one check cannot stand for several policies', fix }];
}

function textsIn(document: unknown, list: Path): (string | null)[] {
  return itemsOf(document, list).map((path) => {
    const name = valueAt(document, [...path, 'name']);
    return typeof name === 'string' ? name : null;
  });
}

function itemsOf(document: unknown, path: Path): Path[] {
  const items = valueAt(document, path);
  return Array.isArray(items) ? items.map((_, index) => [...path, index]) : [];
}
