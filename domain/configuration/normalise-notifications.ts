import type { SecretReference } from '../secret-reference.ts';
import type { NotificationChannel, Topic } from './notification-types.ts';
import type { WrittenNotification } from './schema-notifications.ts';

type Absolute = (reference: SecretReference) => SecretReference;

const EVERYTHING: Topic[] = ['failure', 'objective', 'drill', 'channel', 'recovery'];
const DAY_SECONDS = 86_400;

/** A channel with every default filled in. `absolute` makes the reference's path one from the root. */
export function normaliseNotification(written: WrittenNotification, absolute: Absolute): NotificationChannel {
  const { name, policies = [] } = written;
  if (written.type === 'healthchecks') {
    const none = { on: [], severity: 'info' as const, remindEverySeconds: null };
    return { name, policies, ...none, type: written.type, url: absolute(written.url) };
  }
  const { on = EVERYTHING, severity = 'warning', remindEvery = DAY_SECONDS } = written;
  const base = { name, policies, on, severity, remindEverySeconds: remindEvery };
  switch (written.type) {
    case 'smtp': {
      const { to } = written;
      const from = written.from ?? `holdfast@${to[0]?.split('@')[1] ?? 'localhost'}`;
      return { ...base, type: 'smtp', url: absolute(written.url), from, to };
    }
    case 'webhook': {
      const secret = absolute(written.secret);
      return { ...base, type: 'webhook', url: absolute(written.url), secret };
    }
    case 'slack':
      return { ...base, type: 'slack', url: absolute(written.url) };
    case 'ntfy': {
      const token = written.token ? absolute(written.token) : null;
      return { ...base, type: 'ntfy', url: absolute(written.url), token };
    }
    case 'pagerduty':
      return {
        ...base,
        on: written.on ?? ['page'],
        // It reminds whoever is on call by itself.
        remindEverySeconds: written.remindEvery ?? null,
        type: 'pagerduty',
        routingKey: absolute(written.routingKey),
        endpoint: written.endpoint ?? 'https://events.pagerduty.com',
      };
  }
}
