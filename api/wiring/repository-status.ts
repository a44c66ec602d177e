import { unreadTooLong, type Catalog, type OldestUnread } from '../../catalog/index.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { formatBytes } from '../../domain/bytes.ts';
import { budgetDay } from '../../domain/guards/budget.ts';
import { roomWords } from '../../domain/guards/watermark.ts';
import type { RepositoryStatusItem } from '../services.ts';

type RepositoryHealth = Omit<RepositoryStatusItem, 'growth' | 'fillsAt'>;

/** How each configured repository stands: damage, room, the day's upload budget, and who waits for it. */
export async function repositoryStatus(
  catalog: Catalog,
  configuration: Configuration | null,
  unread: ReadonlyMap<string, OldestUnread>,
  now: Date,
): Promise<RepositoryHealth[]> {
  const states = (await catalog.repositories.list()).filter((state) => !state.orphaned);
  const rooms = new Map((await catalog.rooms.list()).map((room) => [room.repository, room]));
  const waits = await catalog.uploads.waiting();
  return Promise.all(
    states.map(async ({ name, type, needsRepair, damage, initialisedAt }) => {
      const configured = configuration?.repositories.find((one) => one.name === name);
      const budget = configured?.limits.dailyUpload ?? null;
      const { startsAt, resetsAt } = budgetDay(now, budget?.resetSeconds ?? 0);
      const room = configured?.headroom ? (rooms.get(name) ?? null) : null;
      const facts = {
        usedBytes: room?.usedBytes ?? null,
        capacityBytes: room?.capacityBytes ?? null,
        freeBytes: room?.freeBytes ?? null,
        watermark: room?.watermark ?? ('normal' as const),
        uploadedToday: await catalog.uploads.sentBetween(name, startsAt, resetsAt),
        dailyUpload: budget?.bytes ?? null,
        resetsAt: budget ? resetsAt : null,
        waiting: waits
          .filter((wait) => wait.repository === name)
          .map(({ jobId, asset, expected, until }) => ({ jobId, asset, expectedBytes: expected, until })),
      };
      const is = (health: RepositoryStatusItem['health'], reason: string) => ({
        ...{ name, type, health, reason, oldestUnread: unread.get(name) ?? null },
        ...facts,
      });
      if (needsRepair)
        return is('critical', `damaged data was found at ${damage?.seenAt}; the next backup repairs it`);
      if (room?.watermark === 'high')
        return is('critical', fullWords(room, configured?.headroom?.lowPercent));
      const [first] = facts.waiting;
      if (first) return is('warning', waitingWords(facts, first.until));
      if (initialisedAt === null) return is('unknown', 'nothing was stored in it yet');
      const tooLong = unreadTooLong(unread.get(name));
      return tooLong === null ? is('ok', '') : is('warning', tooLong);
    }),
  );
}

function fullWords(room: { usedBytes: number; capacityBytes: number }, lowPercent = 0): string {
  return `it is above its high watermark, ${roomWords(room)}: only further points of critical assets are taken until it is below ${lowPercent} %`;
}

function waitingWords(
  facts: Pick<RepositoryStatusItem, 'uploadedToday' | 'dailyUpload' | 'waiting'>,
  until: string,
): string {
  const assets = facts.waiting.map(({ asset }) => asset).join(', ');
  const used = `${formatBytes(facts.uploadedToday)} of ${formatBytes(facts.dailyUpload ?? 0)} were sent today`;
  return `${assets} wait for its upload budget, ${used}; they go on at ${until}`;
}
