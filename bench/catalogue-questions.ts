// What people and programs ask of the catalogue, each as it is asked and as the queries behind it.

import type { Client } from '@temporalio/client';
import { createServices } from '../api/wiring/services.ts';
import { assetFigures } from '../catalog/asset-figures.ts';
import type { Query } from '../catalog/connection.ts';
import type { Catalog, Page } from '../catalog/index.ts';
import { listJobs } from '../catalog/job-rows.ts';
import { listPoints } from '../catalog/point-rows.ts';
import { assetStates } from '../catalog/status.ts';
import { partsOf } from '../test/api/parts.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';

export interface Question {
  name: string;
  ask(): Promise<unknown>;
  /** The same, of whichever queries it consists. */
  queries(query: Query): Promise<unknown>;
}

export function catalogueQuestions(catalog: Catalog): Question[] {
  const services = createServices(partsOf(catalog, noTemporal));
  const lists = (name: string, request: Parameters<typeof listPoints>[1]): Question => ({
    name,
    ask: () => catalog.points.list(request),
    queries: (query) => listPoints(query, request),
  });
  return [
    {
      name: 'status, whole',
      ask: () => services.status(),
      queries: async (query) => {
        await assetStates(query);
        await assetFigures(query, new Date());
      },
    },
    lists('points list', {}),
    lists('points list --asset', { asset: 'asset-7' }),
    {
      name: 'points list, page 20 of an asset',
      ask: () => everyPoint((cursor) => catalog.points.list({ asset: 'asset-7', limit: 50, cursor }), 20),
      queries: (query) =>
        everyPoint((cursor) => listPoints(query, { asset: 'asset-7', limit: 50, cursor }), 20),
    },
    lists('points list --policy', { policy: 'policy-7' }),
    {
      name: 'facts of the retention plan of a policy',
      ask: () => everyPoint((cursor) => catalog.points.list({ asset: 'asset-7', limit: 500, cursor })),
      queries: (query) => everyPoint((cursor) => listPoints(query, { asset: 'asset-7', limit: 500, cursor })),
    },
    {
      name: 'jobs list',
      ask: () => catalog.jobs.list(),
      queries: (query) => listJobs(query, {}),
    },
    {
      name: 'jobs list --asset',
      ask: () => catalog.jobs.list({ asset: 'asset-7' }),
      queries: (query) => listJobs(query, { asset: 'asset-7' }),
    },
  ];
}

async function everyPoint(
  list: (cursor: string | null) => Promise<Page<RecoveryPoint>>,
  pages = Infinity,
): Promise<void> {
  let cursor: string | null = null;
  for (let page = 0; page < pages; page += 1) {
    cursor = (await list(cursor)).next;
    if (cursor === null) return;
  }
}

/** Next runs are not what is measured here. */
const noTemporal = {
  schedule: { getHandle: () => ({ describe: async () => ({ info: { nextActionTimes: [] } }) }) },
} as unknown as Client;
