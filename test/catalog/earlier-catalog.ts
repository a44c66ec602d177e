// A catalogue as an earlier version left it: what the migrations from `name` on do with its rows can be seen.

import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import { newDatabase } from './fixture.ts';

const FOLDER = fileURLToPath(new URL('../../catalog/migrations', import.meta.url));

/** In the order they are applied. */
export async function migrationNames(): Promise<string[]> {
  return (await readdir(FOLDER)).map((file) => file.replace(/\.sql$/, '')).sort();
}

/** A new database with every migration before this one; the owner's URL. */
export async function catalogBefore(name: string): Promise<string> {
  const url = await newDatabase();
  const silent = () => {};
  await runner({
    databaseUrl: url,
    dir: FOLDER,
    direction: 'up',
    count: (await migrationNames()).indexOf(name),
    migrationsTable: 'migrations',
    schema: 'holdfast',
    createSchema: true,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
  return url;
}
