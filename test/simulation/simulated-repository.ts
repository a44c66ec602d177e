// A repository in memory, for quarters that pass in minutes: a call of a real engine takes half a second, and a
// quarter has thousands. It keeps snapshots by the contract's rules and fails when the weather says so.

import { createHash } from 'node:crypto';
import { HoldfastError } from '../../domain/errors.ts';
import type { EngineSnapshot, Repository } from '../../activities/repositories/repository.ts';

export interface Weather {
  /** Throws while the repository cannot be reached. */
  reach(repository: string): void;
}

export interface SimulatedRepository extends Repository {
  readonly stored: Map<string, EngineSnapshot>;
  /** Calls that changed something, in order. */
  readonly changes: string[];
}

const PART_BYTES = 1_000_000;
const ADDED_BYTES = 10_000;

export function simulatedRepository(name: string, weather: Weather): SimulatedRepository {
  const stored = new Map<string, EngineSnapshot>();
  const changes: string[] = [];
  let created = false;

  const reached = () => {
    weather.reach(name);
    if (!created) throw absent(name);
  };
  const idOf = (...words: string[]) =>
    createHash('sha256')
      .update([name, ...words].join('\0'))
      .digest('hex');

  const repository: SimulatedRepository = {
    name,
    stored,
    changes,
    ensure: async () => {
      weather.reach(name);
      const before = created;
      created = true;
      return before ? 'existing' : 'created';
    },
    recover: async () => {
      reached();
      return { packs: 0, bytes: 0 };
    },
    requireEncrypting: async () => undefined,
    chunker: async () => 'the same',
    arrived: async () => ({ ok: true, errors: [], damagedSnapshots: [], damagedPacks: [] }),
    measure: async () => ({ storedBytes: stored.size * ADDED_BYTES, freeBytes: null }),
    store: async (part, labels) => {
      reached();
      const id = idOf(labels.point, part.name, String(changes.length));
      const { point, asset, kind, takenAt } = labels;
      stored.set(id, {
        id,
        takenAt: labels.takenAt,
        paths: ['/data'],
        tags: Object.entries({ point, asset, kind, part: part.name }).map(
          ([label, value]) => `holdfast:${label}=${value}`,
        ),
        labels: { point, asset, kind, part: part.name, takenAt },
        bytes: PART_BYTES,
        hostname: 'simulated',
        original: null,
      });
      changes.push(`store ${id}`);
      return {
        part: part.name,
        snapshotId: id,
        path: '/data',
        files: 1,
        bytes: PART_BYTES,
        addedBytes: ADDED_BYTES,
        unreadable: [],
      };
    },
    copyFrom: async (source, snapshotIds) => {
      reached();
      const from = (source as SimulatedRepository).stored;
      return new Map(
        snapshotIds.map((original) => {
          const snapshot = from.get(original);
          if (!snapshot) throw unknown(name, original);
          const id = idOf(original, 'copy');
          stored.set(id, { ...snapshot, id, original });
          changes.push(`copy ${id}`);
          return [original, id] as const;
        }),
      );
    },
    snapshots: async ({ point, asset }) => {
      reached();
      return [...stored.values()].filter(
        ({ labels }) => (!point || labels?.point === point) && (!asset || labels?.asset === asset),
      );
    },
    readBack: async (points) => {
      reached();
      for (const point of points) {
        if (![...stored.values()].some(({ labels }) => labels?.point === point)) throw unknown(name, point);
      }
      return { ok: true, errors: [], damagedSnapshots: [], damagedPacks: [] };
    },
    readShare: async () => {
      reached();
      return { ok: true, errors: [], damagedSnapshots: [], damagedPacks: [], packs: { read: 1, total: 1 } };
    },
    restore: async ({ snapshotId }) => {
      reached();
      if (!stored.has(snapshotId)) throw unknown(name, snapshotId);
      return { files: 1, bytes: PART_BYTES };
    },
    list: async () => [],
    forget: async (snapshotIds) => {
      reached();
      for (const id of snapshotIds) if (stored.delete(id)) changes.push(`forget ${id}`);
    },
    repair: async () => reached(),
    prune: async () => {
      reached();
      changes.push('prune');
      return { freedBytes: 0, remainingBytes: stored.size * ADDED_BYTES };
    },
    check: async () => reached(),
  };
  return repository;
}

export function absent(name: string): HoldfastError {
  return new HoldfastError({
    code: 'repository.absent',
    message: `there is no repository ${name}`,
    hint: 'it is created by the first backup',
  });
}

function unknown(name: string, what: string): HoldfastError {
  return new HoldfastError({
    code: 'point.unknown',
    message: `${what} is not in ${name}`,
    hint: 'look at what is there',
  });
}
