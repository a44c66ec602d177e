// A source whose data is always there, unless the seeded generator says that this run finds it missing.

import { HoldfastError } from '../../domain/errors.ts';
import type { Asset } from '../../domain/configuration/types.ts';
import type { Source } from '../../activities/sources/source.ts';

export interface Fortune {
  /** true: this look at the asset finds nothing. */
  isMissing(asset: string): boolean;
  /** true: the restored copy is not what was backed up. */
  isWrong(asset: string): boolean;
}

const FIGURES = { files: 1, bytes: 1_000_000, digest: null, tables: null, rows: null };

export function simulatedSource(fortune: Fortune): Source<Asset> {
  const never = () => Promise.reject(new Error('no restore is simulated'));
  return {
    preflight: async ({ name }) => {
      if (!fortune.isMissing(name)) return;
      throw new HoldfastError({
        code: 'source.missing',
        message: `backup of ${name} failed: its path is not there`,
        cause: 'the seeded generator took it away',
        hint: 'mount it again',
      });
    },
    size: async () => 1_000_000,
    capture: async () => ({
      method: 'files',
      parts: [{ kind: 'folder', name: 'files', path: '/data', exclude: [] }],
      settle: async () => ({ manifest: null, notes: [] }),
      close: async () => {},
    }),
    rehearse: async ({ name }, _restored, _manifest, { scratch }, _step, use) => {
      const ok = !fortune.isWrong(name);
      const report = {
        ok,
        checks: [{ name: 'content', ok, detail: ok ? 'the same' : 'one row is missing' }],
      };
      const place = { kind: 'path', path: scratch } as const;
      await use?.({ report, expected: FIGURES, found: FIGURES, place });
      return report;
    },
    captureForSafety: never,
    resolveTarget: never,
    checkTarget: never,
    impact: never,
    swap: never,
    undo: never,
    settle: never,
    holds: never,
  };
}
