// What the soaks back up and where: a folder and a database into two repositories, on a stack of their own.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { snapshotsIn } from '../fixtures/restic.ts';
import { makeStack, type Json, type Stack } from '../fixtures/stack.ts';
import { until } from '../fixtures/until.ts';

export const REPOSITORIES = ['near', 'far'] as const;
export const ASSETS = ['tree', 'ledger'] as const;

export interface SoakEstate {
  stack: Stack;
  /** A path in the stack's folder: `tree`, `ledger.db`, and each repository and its key by its name. */
  at(...names: string[]): string;
  /** Configures one policy for both assets, and what else is said, and starts. */
  up(policy: Json, more?: Json): Promise<void>;
  /** Every item of a list, asked for until it answers. */
  all(path: string): Promise<Json[]>;
  /** Each repository has of each asset the snapshots that these points' copies are, no more and no less. */
  assertKept(points: readonly Json[]): Promise<void>;
}

/** The tree is empty and there is no database yet. */
export async function soakEstate(environment: Record<string, string> = {}): Promise<SoakEstate> {
  const stack = await makeStack(environment);
  const at = (...names: string[]) => join(stack.folder, ...names);
  await mkdir(at('tree'));
  for (const name of REPOSITORIES) await writeFile(at(`${name}.key`), `key of ${name}\n`, { mode: 0o600 });
  return {
    stack,
    at,
    up: async (policy, more = {}) => {
      await stack.configure({
        // Its jobs and snapshots would be counted among those looked at here.
        controlPlane: { repositories: [] },
        repositories: REPOSITORIES.map((name) => ({
          name,
          type: 'restic',
          url: `./${name}`,
          password: `file:./${name}.key`,
        })),
        assets: [
          { name: 'tree', type: 'directory', path: at('tree') },
          { name: 'ledger', type: 'sqlite', path: at('ledger.db') },
        ],
        policies: [{ assets: ASSETS, repository: 'near', copies: ['far'], ...policy }],
        ...more,
      });
      await stack.up();
    },
    all: async (path) => {
      const items: Json[] = [];
      let cursor: string | null = null;
      do {
        const from: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page: Json = await until(`${path} answers`, () => stack.get(`${path}${from}`));
        items.push(...page.items);
        cursor = page.next;
      } while (cursor !== null);
      return items;
    },
    assertKept: async (points) => {
      for (const repository of REPOSITORIES) {
        for (const asset of ASSETS) {
          const snapshots = await snapshotsIn(at(repository), at(`${repository}.key`), asset);
          assert.deepEqual(
            snapshots.map(({ id }) => id).sort(),
            copiesOf(points, asset, repository)
              .map(({ artifactId }) => artifactId)
              .sort(),
            `${asset} in ${repository}`,
          );
        }
      }
    },
  };
}

export function copiesOf(points: readonly Json[], asset: string, repository: string): Json[] {
  return points
    .filter((point) => point.asset === asset)
    .flatMap((point) => point.copies as Json[])
    .filter((copy) => copy.repository === repository);
}
