import type { Catalog } from '../../catalog/index.ts';
import { testChannels } from '../../client/index.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import type { Services, StatusReport } from '../services.ts';
import type { Parts } from './parts.ts';

type IncidentServices = Pick<Services, 'listIncidents' | 'testChannels'>;

export function incidentServices({ catalog, temporal }: Parts): IncidentServices {
  return {
    listIncidents: ({ all }, page) => catalog.incidents.list({ ...page, all }),

    testChannels: async (actor, channel) => {
      await catalog.as(actor.name).audit.append({
        action: 'notification.tested',
        subject: `channel/${channel ?? '*'}`,
        details: {},
      });
      return testChannels(temporal, { channel, actor: actor.name });
    },
  };
}

/** `unknown` until it has taken a message: nobody knows whether it would. */
export async function channelHealth(
  catalog: Catalog,
  configuration: Configuration | null,
): Promise<StatusReport['channels']> {
  const states = new Map((await catalog.notifications.channels()).map((state) => [state.name, state]));
  return (configuration?.notifications ?? []).map(({ name, type }) => {
    const { failingSince = null, deliveredAt = null, error } = states.get(name) ?? {};
    if (failingSince !== null) {
      const words = [error?.message, error?.cause].filter(Boolean).join(': ');
      return { name, type, health: 'warning', reason: `takes no messages since ${failingSince}: ${words}` };
    }
    if (deliveredAt === null)
      return { name, type, health: 'unknown', reason: `never tried; \`holdfast notify test ${name}\`` };
    return { name, type, health: 'ok', reason: '' };
  });
}
