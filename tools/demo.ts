import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newPassword } from '../activities/hosts/postgres-cluster.ts';
import { table } from '../cli/table.ts';
import { formatBytes } from '../domain/bytes.ts';
import { formatDuration } from '../domain/duration.ts';
import type { Job } from '../domain/job.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import type { Restore } from '../domain/restore.ts';
import { commandLine } from './demo/command-line.ts';
import { demoConfiguration } from './demo/configuration.ts';
import { startObjectStore } from './demo/object-store.ts';
import {
  countFiles,
  loseEverything,
  makeProduction,
  measureDatabase,
  measureTree,
  rowsOf,
  writeSecret,
  type Production,
} from './demo/production.ts';

// The main job on real input: back up, prove from the off-site copy, lose everything, restore, compare with
// what was measured before the loss; then a drill, which leaves its signed evidence. Exits 0 only if all of it
// holds. `--keep` leaves the stack up.

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.holdfast-demo');
const configuration = join(folder, 'holdfast.yaml');
const keep = process.argv.includes('--keep');
const startedAt = performance.now();
const assets = ['orders', 'sales', 'uploads'] as const;
type Asset = (typeof assets)[number];
interface DrillShown {
  name: string;
  outcome: string | null;
  rtoSeconds: number | null;
  evidence: string | null;
}

const holdfastBefore = commandLine(configuration, {});
if (existsSync(configuration)) {
  await holdfastBefore('down').catch(() => say('no earlier demo is running'));
}
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true, mode: 0o700 });

say('making production: a PostgreSQL database, an SQLite file being written to, a tree of files');
const production = await makeProduction(join(folder, 'production'), root);
const store = await startObjectStore(join(folder, 's3'));
say(
  `production: 1,000,000 accounts, ${(await countFiles(production.tree)).toLocaleString('en')} files; S3 at ${store.url}`,
);
await writeConfiguration(production);
const holdfast = commandLine(configuration, {
  DEMO_ORDERS_URL: production.databaseUrl,
  DEMO_S3_KEY: store.accessKey,
  DEMO_S3_SECRET: store.secretKey,
});

let failed = false;
try {
  await holdfast('up', '--detach');
  const job = await holdfast<Job>('backup', 'run', 'critical');

  say('measuring production, then losing all of it');
  const rows = await production.stopWriting();
  const before = await measure();
  const lostAt = Date.now();
  await loseEverything(production);

  const restored = {} as Record<Asset, { restore: Restore; seconds: number }>;
  await Promise.all(
    assets.map(async (asset) => {
      const from = performance.now();
      const { id } = await holdfast<Restore>('restore', 'prepare', '--asset', asset);
      const restore = await holdfast<Restore>('restore', 'commit', id);
      restored[asset] = { restore, seconds: (performance.now() - from) / 1000 };
    }),
  );

  say('comparing with what was measured before the loss, and rebuilding it all once more in a drill');
  const [back, after, drill] = await Promise.all([
    rowsOf(production.sqliteFile),
    measure(),
    holdfast<DrillShown>('drill', 'run', 'site-loss'),
  ]);
  const identical: Record<Asset, boolean> = {
    orders: after.orders === before.orders,
    // The writer went on after the backup: the restored rows are those of the point, a beginning of them all.
    sales: back.length >= 20_000 && back.every((digest, index) => digest === rows[index]),
    uploads: after.uploads === before.uploads,
  };
  failed = !(await report(job, restored, identical, lostAt, drill));
} catch (error) {
  failed = true;
  console.error(`\nthe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  console.error(`the logs are in ${join(folder, '.holdfast', 'log')}`);
}
if (keep && !failed) await keepRunning();
await holdfast('down').catch((error: unknown) => console.error(String(error)));
await store.stop();
await production.stop();
process.exit(failed ? 1 : 0);

async function measure(): Promise<{ orders: string; uploads: string }> {
  const [orders, uploads] = await Promise.all([
    measureDatabase(production.databaseUrl),
    measureTree(production.tree),
  ]);
  return { orders, uploads };
}

async function report(
  job: Job,
  restored: Record<Asset, { restore: Restore; seconds: number }>,
  identical: Record<Asset, boolean>,
  lostAt: number,
  drill: DrillShown,
): Promise<boolean> {
  const lines: string[][] = [];
  let good = true;
  for (const asset of assets) {
    const { recoveryPointId } = job.assets.find((one) => one.asset === asset) ?? {};
    const point = await holdfast<RecoveryPoint>('points', 'show', recoveryPointId ?? 'none');
    const { restore, seconds } = restored[asset];
    const right = point.proof === 'proven' && restore.status === 'completed' && identical[asset];
    good &&= right;
    lines.push([
      asset,
      point.id.slice(0, 8),
      `${point.proof} from offsite`,
      formatDuration((lostAt - Date.parse(point.takenAt)) / 1000),
      formatDuration(seconds),
      `${formatBytes(point.addedBytes)} (of ${formatBytes(point.bytes)})`,
      identical[asset] ? 'identical' : 'NOT IDENTICAL',
    ]);
  }
  console.log(
    `\n${await table(['ASSET', 'POINT', 'PROOF', 'RPO', 'RTO', 'STORED', 'AFTER THE RESTORE'], lines)}\n`,
  );
  good &&= drill.outcome === 'passed';
  console.log(
    `drill ${drill.name} from offsite: ${drill.outcome}, RTO ${formatDuration(drill.rtoSeconds ?? 0)}; its evidence: ${drill.evidence}`,
  );
  console.log(`check it with nothing running: npx holdfast evidence verify ${drill.evidence}\n`);
  console.log(
    `${good ? 'everything was lost, and everything is back' : 'NOT EVERYTHING IS BACK'} (${formatDuration((performance.now() - startedAt) / 1000)} in all)`,
  );
  console.log(
    keep
      ? `look around: npx holdfast --config .holdfast-demo/holdfast.yaml status; the Temporal UI's address is above`
      : `look around: \`npm run demo -- --keep\` leaves the stack up; its files are in .holdfast-demo`,
  );
  return good;
}

async function writeConfiguration({ sqliteFile, tree }: Production): Promise<void> {
  await writeSecret(join(folder, 'local.key'), newPassword());
  await writeSecret(join(folder, 'offsite.key'), newPassword());
  const text = demoConfiguration({ storeUrl: store.url, sqliteFile, tree });
  await writeFile(configuration, text, { mode: 0o600 });
}

async function keepRunning(): Promise<void> {
  console.log('Ctrl-C ends it');
  await new Promise<void>((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
}

function say(message: string): void {
  const elapsed = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4);
  console.error(`\n[${elapsed} s] ${message}`);
}
