// Assets of type postgres, method dump: pg_dump and pg_dumpall streamed into the repository, proven in a
// scratch server, restored into a new database that then takes the old one's name.

import { join } from 'node:path';
import type { DatabaseUrlSource, PostgresAsset } from '../../domain/configuration/types.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import { parsePostgresUrl, type PostgresAddress } from './postgres-address.ts';
import { connect } from './postgres-connection.ts';
import { captureDump } from './postgres-dump.ts';
import { impactOfRestore } from './postgres-impact.ts';
import { checkReadable, clientFor } from './postgres-preflight.ts';
import { rehearseDump, sqlChecks } from './postgres-rehearsal.ts';
import { settleSwap, swapDatabase, undoSwap, type Swap } from './postgres-swap.ts';
import { checkDatabaseTarget, targetOf } from './postgres-target.ts';
import { findPostgresBinaries, type PostgresBinaries } from '../hosts/postgres-binaries.ts';
import type { Capture, CaptureOptions, RestoreOrder, Source } from './source.ts';

export interface PostgresSourceOptions {
  /** The URL itself, from wherever the configuration says it is. */
  resolveUrl(url: DatabaseUrlSource): Promise<string>;
  /** A folder of the data directory where initialised scratch clusters are kept; null: none are. */
  cache: string | null;
  /** Installed PostgreSQL programs, newest first. */
  findBinaries?: () => Promise<PostgresBinaries[]>;
  onSwapStage?: Swap['onStage'];
}

export function createPostgresSource(options: PostgresSourceOptions): Source<PostgresAsset> {
  const find = options.findBinaries ?? findPostgresBinaries;
  const addressOf = async (asset: PostgresAsset) => parsePostgresUrl(await options.resolveUrl(asset.url));
  const pgRestoreFor = async (address: PostgresAddress, serverVersion: number) =>
    join((await clientFor(serverVersion, address, find)).folder, 'pg_restore');
  const swapOf = async (asset: PostgresAsset, order: RestoreOrder): Promise<Swap> => {
    refuseInclude(order);
    const { onSwapStage: onStage } = options;
    const address = await addressOf(asset);
    return {
      address,
      order,
      pgRestoreFor: async (serverVersion) => pgRestoreFor(address, serverVersion),
      ...(onStage && { onStage }),
    };
  };

  return {
    async preflight(asset, step) {
      const address = await addressOf(asset);
      const connection = await connect(address, step);
      try {
        await clientFor(connection.serverVersion, address, find);
        await checkReadable(connection, address);
      } finally {
        await connection.close();
      }
    },

    async size(asset, step) {
      const connection = await connect(await addressOf(asset), step);
      try {
        const [row] = await connection.query<{ bytes: string }>(
          'select pg_database_size(current_database()) as bytes',
        );
        return Number(row?.bytes ?? 0);
      } finally {
        await connection.close();
      }
    },

    capture: async (asset, _workspace, step, captureOptions) =>
      capture(await addressOf(asset), find, step, captureOptions),

    /** There are no raw files to fall back to over a connection: a damaged database is an error that says so. */
    async captureForSafety(asset, target, _workspace, step) {
      const address = { ...(await addressOf(asset)), database: target.location };
      try {
        return await capture(address, find, step, { manifest: true });
      } catch (error) {
        if (error instanceof HoldfastError && error.code === 'source.missing') return null;
        throw error;
      }
    },

    rehearse: async (asset, restored, manifest, workspace, step, use) =>
      rehearseDump(
        {
          restored,
          manifest,
          checks: asset.checks,
          pgRestore: join((await newest(find)).folder, 'pg_restore'),
          scratch: workspace.scratch,
          cache: options.cache,
          use,
        },
        step,
      ),

    resolveTarget: async (asset, to) => targetOf(await addressOf(asset), to),
    checkTarget: async (asset, target, bytes, step) =>
      checkDatabaseTarget(await addressOf(asset), target, bytes, step),
    async impact(asset, order, _workspace, step) {
      const { address, pgRestoreFor: choose } = await swapOf(asset, order);
      return impactOfRestore(address, order, choose, step);
    },
    swap: async (asset, order, step) => swapDatabase(await swapOf(asset, order), step),
    undo: async (asset, order, step) => undoSwap(await swapOf(asset, order), step),
    settle: async (asset, order, step) => settleSwap(await swapOf(asset, order), step),
    async holds(asset, target, sql, step) {
      const address = await addressOf(asset);
      const connection = await connect({ ...address, database: target.location }, step);
      try {
        return (await sqlChecks(connection, [{ sql }])).every(({ ok }) => ok);
      } finally {
        await connection.close();
      }
    },
  };
}

async function capture(
  address: PostgresAddress,
  find: () => Promise<PostgresBinaries[]>,
  step: Step,
  options: CaptureOptions,
): Promise<Capture> {
  const connection = await connect(address, step);
  const { serverVersion } = connection;
  await connection.close();
  return captureDump(address, await clientFor(serverVersion, address, find), step, options);
}

/** Reads archives of every earlier version. */
async function newest(find: () => Promise<PostgresBinaries[]>): Promise<PostgresBinaries> {
  const [binaries] = await find();
  if (binaries) return binaries;
  throw new HoldfastError({
    code: 'tool.missing',
    message: 'pg_restore was not found on this host',
    cause: 'no PostgreSQL client in /usr/lib/postgresql, /usr/pgsql-* or on the PATH',
    hint: 'install it: on Debian `apt-get install postgresql-client`',
  });
}

function refuseInclude(order: RestoreOrder): void {
  if (order.include.length === 0) return;
  throw new HoldfastError({
    code: 'usage',
    message: `only some tables of ${order.target.description} cannot be restored by themselves`,
    cause: `--include named ${order.include.join(', ')}; rows elsewhere may refer to them`,
    hint: 'restore the whole database beside it with `--to NAME`, and copy the tables you need from there',
  });
}
