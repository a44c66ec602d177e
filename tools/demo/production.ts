import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { postgresServerBinaries } from '../../activities/hosts/postgres-binaries.ts';
import {
  catalogOwner,
  initialiseCluster,
  newPassword,
  startCluster,
  type RunningCluster,
} from '../../activities/hosts/postgres-cluster.ts';

/** pgbench's accounts: 100,000 a unit. */
const SCALE = 10;
/** At least so many in the tree. */
const FILES = 10_000;

// Three real assets as an application would have them, means to lose them, and measurements of them that
// owe nothing to Holdfast: PostgreSQL's and SQLite's own programs, find and sha256sum.

export interface Production {
  databaseUrl: string;
  sqliteFile: string;
  tree: string;
  /** Ends the writer and returns the digest of every row it wrote, oldest first. */
  stopWriting(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function makeProduction(folder: string, root: string): Promise<Production> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const tree = join(folder, 'uploads');
  const sqliteFile = join(folder, 'shop.db');
  const [database] = await Promise.all([
    makeDatabase(join(folder, 'postgres')),
    copyPackages(join(root, 'node_modules'), tree),
  ]);
  const writer = await startWriter(sqliteFile);
  return {
    databaseUrl: database.url,
    sqliteFile,
    tree,
    stopWriting: async () => {
      await writer.end();
      return rowsOf(sqliteFile);
    },
    stop: async () => {
      await writer.end();
      await database.cluster.stop();
    },
  };
}

/** As many whole packages as make a tree of real files, and leave the demo under its two minutes. */
async function copyPackages(packages: string, tree: string): Promise<void> {
  await mkdir(tree);
  let files = 0;
  for (const name of (await readdir(packages)).filter((entry) => !entry.startsWith('.')).sort()) {
    await execa('cp', ['-a', '--', join(packages, name), tree]);
    files += await countFiles(join(tree, name));
    if (files >= FILES) return;
  }
}

async function makeDatabase(folder: string): Promise<{ cluster: RunningCluster; url: string }> {
  const { folder: binaries } = await postgresServerBinaries();
  const password = newPassword();
  await initialiseCluster({ folder, binaries, owner: await catalogOwner(), password });
  const cluster = await startCluster({ folder, binaries, port: null, durable: true, password });
  const server = new URL(cluster.url);
  const env = { PGHOST: server.hostname, PGPORT: server.port, PGUSER: 'postgres', PGPASSWORD: password };
  await execa(join(binaries, 'createdb'), ['orders'], { env });
  await execa(join(binaries, 'pgbench'), ['-i', '-q', '-s', String(SCALE), 'orders'], { env });
  server.pathname = '/orders';
  return { cluster, url: server.href };
}

/** A row every 20 ms, in WAL mode, until its input ends. */
async function startWriter(file: string): Promise<{ end(): Promise<void> }> {
  const writer = execa('sqlite3', ['-batch', file], { reject: false });
  writer.stdin?.write(
    'pragma journal_mode = wal;\n.timeout 10000\n' +
      'create table sales (id integer primary key, at text, what text);\n' +
      'with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) insert into sales (at, what) select datetime(), hex(randomblob(100)) from n;\n',
  );
  const beat = setInterval(() => {
    if (writer.stdin?.writable)
      writer.stdin.write('insert into sales (at, what) values (datetime(), hex(randomblob(100)));\n');
  }, 20);
  writer.stdin?.once('finish', () => clearInterval(beat));
  void writer.finally(() => clearInterval(beat));
  while ((await countOf(file)) < 20_000) await pause(50);
  return {
    end: async () => {
      writer.stdin?.end();
      await writer;
    },
  };
}

async function countOf(file: string): Promise<number> {
  const { stdout } = await execa(
    'sqlite3',
    ['-batch', '-cmd', '.timeout 10000', file, 'select count(*) from sales'],
    {
      reject: false,
    },
  );
  return Number(stdout) || 0;
}

/** One digest for each row, in the order of ids: a backup taken meanwhile must hold a beginning of them. */
export async function rowsOf(file: string): Promise<string[]> {
  const { stdout } = await execa('sqlite3', ['-batch', file, 'select id, at, what from sales order by id'], {
    maxBuffer: 1024 * 1024 * 1024,
  });
  return stdout.split('\n').map((line) => createHash('sha256').update(line).digest('hex'));
}

/** Rows and contents of every table, in PostgreSQL's own words. */
export async function measureDatabase(url: string): Promise<string> {
  const { folder } = await postgresServerBinaries();
  const { pathname, hostname, port, password } = new URL(url);
  const tables = ['pgbench_accounts', 'pgbench_branches', 'pgbench_tellers', 'pgbench_history'];
  const sql = tables.map(
    (table) =>
      `select '${table}', count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from ${table} t`,
  );
  const { stdout } = await execa(join(folder, 'psql'), ['-XAtq', '-c', sql.join(' union all ')], {
    env: {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: 'postgres',
      PGPASSWORD: decodeURIComponent(password),
      PGDATABASE: pathname.slice(1),
    },
  });
  return stdout;
}

/** Names, types, modes, owners, times, link targets and contents of a tree. */
export async function measureTree(tree: string): Promise<string> {
  const listing = await execa('find', ['.', '-printf', '%P %y %m %U %G %T@ %l\\0'], {
    cwd: tree,
    maxBuffer: 256 * 1024 * 1024,
  });
  const files = await execa('find', ['.', '-type', 'f', '-print0'], {
    cwd: tree,
    maxBuffer: 256 * 1024 * 1024,
  });
  const contents = await execa('xargs', ['-0', 'sha256sum'], {
    cwd: tree,
    input: files.stdout,
    maxBuffer: 256 * 1024 * 1024,
  });
  const hash = createHash('sha256');
  for (const entry of listing.stdout.split('\0').sort()) hash.update(`${entry}\n`);
  for (const line of contents.stdout.split('\n').sort()) hash.update(`${line}\n`);
  return hash.digest('hex');
}

export async function countFiles(tree: string): Promise<number> {
  const { stdout } = await execa('find', [tree, '-type', 'f', '-printf', '.']);
  return stdout.length;
}

/** The worst day: tables dropped, tree deleted, SQLite file cut to nothing. */
export async function loseEverything(production: Production): Promise<void> {
  const { folder } = await postgresServerBinaries();
  const { hostname, port, password } = new URL(production.databaseUrl);
  await execa(
    join(folder, 'psql'),
    ['-Xq', '-c', 'drop table pgbench_accounts, pgbench_branches, pgbench_tellers, pgbench_history'],
    {
      env: {
        PGHOST: hostname,
        PGPORT: port,
        PGUSER: 'postgres',
        PGPASSWORD: decodeURIComponent(password),
        PGDATABASE: 'orders',
      },
    },
  );
  await rm(production.tree, { recursive: true });
  await truncate(production.sqliteFile, 0);
}

export async function writeSecret(path: string, secret: string): Promise<void> {
  await writeFile(path, `${secret}\n`, { mode: 0o600 });
}
