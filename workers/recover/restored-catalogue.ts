// The catalogue out of its dump: in a private cluster of the data directory, or in the empty schema of the database
// that the configuration names. It is believed only when its audit chain is whole and ends where the dump ended.

import { join } from 'node:path';
import { freePort } from '../../activities/hosts/postgres-cluster.ts';
import { findPostgresBinaries, postgresServerBinaries } from '../../activities/hosts/postgres-binaries.ts';
import { lastWords, runCommand } from '../../activities/run-command.ts';
import { resolveSecret } from '../../activities/secrets.ts';
import {
  databaseArgument,
  describeAddress,
  parsePostgresUrl,
  toolEnvironment,
} from '../../activities/sources/postgres-address.ts';
import { connect, type Connection } from '../../activities/sources/postgres-connection.ts';
import { clearingUp, type Step } from '../../activities/step.ts';
import { migrateCatalog, openCatalog, type Catalog } from '../../catalog/index.ts';
import type { Configuration, DatabaseUrlSource } from '../../domain/configuration/types.ts';
import { bundlePaths, type ControlPlaneManifest } from '../../domain/control-plane/bundle.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { catalogServer } from '../embedded/catalog-server.ts';

export interface RestoredCatalogue {
  catalog: Catalog;
  /** Where it is, fit to be shown. */
  place: string;
  /** Migrations that brought it forward to this program's version. */
  migrated: string[];
  /** Events on its audit chain. */
  events: number;
  close(): Promise<void>;
  /** After `close`, where the recovery comes to nothing: takes out of a database what this one restored there. */
  discard(): Promise<void>;
}

/** Whose name stands beside what a recovery puts on the audit chain. */
const ACTOR = 'recover';

/** `bundle`: the folder the point was restored to. Throws before a believable catalogue is there, and leaves none. */
export async function restoreCatalogue(
  bundle: string,
  dataDir: string,
  configuration: Configuration | null,
  manifest: ControlPlaneManifest,
  step: Step,
): Promise<RestoredCatalogue> {
  const dump = join(bundle, bundlePaths.dump);
  return configuration?.catalog
    ? inDatabase(await urlOf(configuration.catalog.url), dump, manifest, step)
    : inCluster(dataDir, dump, manifest, step);
}

/** Throws when the configuration names a database that cannot take the dump. Looks only. */
export async function refuseOccupiedCatalogue(
  configuration: Configuration | null,
  manifest: ControlPlaneManifest,
  step: Step,
): Promise<void> {
  if (!configuration?.catalog) return;
  try {
    await stateOf(await urlOf(configuration.catalog.url), manifest, step);
  } catch (error) {
    if (!(error instanceof HoldfastError) || !LOST.includes(error.code)) throw error;
    throw new HoldfastError({
      ...error.toContract(),
      hint: 'if the database that catalog.url names is lost as well, make an empty one and give its URL with --catalog',
    });
  }
}

/** What a database that went with the machine looks like. */
const LOST: readonly string[] = ['source.unreachable', 'source.missing', 'secret.unresolved'];

async function inCluster(
  dataDir: string,
  dump: string,
  manifest: ControlPlaneManifest,
  step: Step,
): Promise<RestoredCatalogue> {
  const server = await catalogServer(dataDir, await freePort());
  const running = await server.part.launch();
  try {
    const { folder } = await postgresServerBinaries();
    await restoreDump(dump, server.ownerUrl, join(folder, 'pg_restore'), step);
    const options = { applicationPassword: server.applicationPassword };
    const opened = await opening(server.ownerUrl, options, manifest, true);
    const place = join(dataDir, 'catalog');
    const close = async () => {
      await opened.catalog.close();
      await running.stop();
    };
    // It goes with the data directory.
    const discard = () => Promise.resolve();
    return { ...opened, place, close, discard };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function inDatabase(
  url: string,
  dump: string,
  manifest: ControlPlaneManifest,
  step: Step,
): Promise<RestoredCatalogue> {
  const address = parsePostgresUrl(url);
  const state = await stateOf(url, manifest, step);
  if (state !== 'restored') {
    const [newest] = await findPostgresBinaries();
    if (state === 'emptySchema') await dropSchema(url, step);
    await restoreDump(dump, url, join(newest?.folder ?? '', 'pg_restore'), step);
  }
  const discard = async () => {
    if (state !== 'restored') await dropSchema(url, clearingUp(step));
  };
  try {
    const opened = await opening(url, {}, manifest, state !== 'restored');
    return { ...opened, place: describeAddress(address), close: () => opened.catalog.close(), discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** Owner and rights are those of this server; a dump that comes half-way leaves nothing. */
async function restoreDump(dump: string, url: string, pgRestore: string, step: Step): Promise<void> {
  const address = parsePostgresUrl(url);
  const result = await runCommand(
    {
      tool: 'pg_restore',
      file: pgRestore,
      args: [
        ...['--exit-on-error', '--single-transaction', '--no-owner', '--no-privileges', '--no-password'],
        ...[databaseArgument('--dbname', address.database), '--', dump],
      ],
      env: toolEnvironment(address),
      onStdoutLine: () => undefined,
    },
    step,
  );
  if (result.exitCode === 0) return;
  throw new HoldfastError({
    code: 'tool.failed',
    message: `the catalogue could not be restored into ${describeAddress(address)}`,
    cause: lastWords(result.stderr),
    hint: /unsupported version/.test(result.stderr)
      ? 'install the PostgreSQL version that made the dump, or a newer one'
      : 'read the cause; nothing was left behind, and it can be tried again',
    retryable: false,
  });
}

async function opening(
  ownerUrl: string,
  options: { applicationPassword?: string },
  manifest: ControlPlaneManifest,
  fresh: boolean,
): Promise<Pick<RestoredCatalogue, 'catalog' | 'migrated' | 'events'>> {
  const { url, applied: migrated } = await migrateCatalog(ownerUrl, options);
  const catalog = await openCatalog({ url, actor: ACTOR });
  try {
    return { catalog, migrated, events: await believable(catalog, manifest, fresh && migrated.length === 0) };
  } catch (error) {
    await catalog.close();
    throw error;
  }
}

/** How many events its chain has. `exactly`: nobody has been here since the dump, no migration either. */
async function believable(
  catalog: Catalog,
  { audit, configurationDigest }: ControlPlaneManifest,
  exactly: boolean,
): Promise<number> {
  const anchors = audit ? [{ sequence: audit.sequence, digest: audit.hash }] : [];
  const { ok, problem, events } = await catalog.audit.verify(anchors);
  if (!ok) throw notTheSame(`its audit chain is broken at event ${problem?.sequence}: ${problem?.what}`);
  const expected = audit?.sequence ?? 0;
  if (exactly && events !== expected)
    throw notTheSame(`its audit chain has ${events} events, and the manifest says ${expected}`);
  // Another one may have been applied between the reading of the text and the dump; never one it does not know.
  if (configurationDigest !== null) await catalog.configurations.find(configurationDigest);
  return events;
}

function notTheSame(cause: string): HoldfastError {
  return new HoldfastError({
    code: 'proof.failed',
    message: 'nothing was recovered: the catalogue in this recovery point cannot be believed',
    cause,
    hint: 'take an earlier one with --at or --point, or recover from another repository',
  });
}

/**
 * `restored`: by a recovery that was broken off after it. Anything else that is there is refused: it may know more
 * than the backup does.
 */
async function stateOf(
  url: string,
  manifest: ControlPlaneManifest,
  step: Step,
): Promise<'absent' | 'emptySchema' | 'restored'> {
  const address = parsePostgresUrl(url);
  const connection = await connect(address, step);
  try {
    const [found] = await connection.query<{ schema: boolean; relations: string }>(
      `select to_regnamespace('${SCHEMA}') is not null as schema,
              (select count(*) from pg_class where relnamespace = to_regnamespace('${SCHEMA}')) as relations`,
    );
    if (!found?.schema) return 'absent';
    if (Number(found.relations) === 0) return 'emptySchema';
    if (await isThisOne(connection, manifest)) return 'restored';
  } finally {
    await connection.close();
  }
  throw new HoldfastError({
    code: 'target.notEmpty',
    message: `nothing was recovered: ${describeAddress(address)}, which catalog.url names, has a catalogue in it`,
    cause: `its schema ${SCHEMA} is not empty, and not what this recovery point holds`,
    hint: `if it is the service's own and whole, it knows more than the backup: take only configuration and keys, with \`restic restore\`. Else drop that schema, or name another database with --catalog`,
  });
}

/** The dump and what a recovery added to it, and nothing of anybody else's. */
async function isThisOne(connection: Connection, { audit }: ControlPlaneManifest): Promise<boolean> {
  if (!audit) return false;
  try {
    const [found] = await connection.query<{ here: boolean; others: string }>(
      `select exists (select from ${SCHEMA}.audit_events where sequence = $1 and digest = $2) as here,
              (select count(*) from ${SCHEMA}.audit_events
                where sequence > $1 and actor not in ('${ACTOR}', 'migration')) as others`,
      [audit.sequence, audit.hash],
    );
    return found?.here === true && Number(found.others) === 0;
  } catch (error) {
    if (error instanceof HoldfastError && error.code !== 'source.unreachable') return false;
    throw error;
  }
}

async function dropSchema(url: string, step: Step): Promise<void> {
  const connection = await connect(parsePostgresUrl(url), step);
  try {
    await connection.query(`drop schema ${SCHEMA} cascade`);
  } finally {
    await connection.close();
  }
}

const SCHEMA = 'holdfast';

async function urlOf(source: DatabaseUrlSource): Promise<string> {
  return source.kind === 'literal' ? source.value : resolveSecret(source);
}
