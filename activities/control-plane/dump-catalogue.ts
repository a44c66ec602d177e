// The whole catalogue as a dump, and the ends of its chains as they are in that very dump.

import { join } from 'node:path';
import { SCHEMA } from '../../catalog/connection.ts';
import type { ControlPlaneManifest } from '../../domain/control-plane/bundle.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { findPostgresBinaries } from '../hosts/postgres-binaries.ts';
import { lastWords, runCommand } from '../run-command.ts';
import {
  databaseArgument,
  describeAddress,
  parsePostgresUrl,
  toolEnvironment,
} from '../sources/postgres-address.ts';
import { connect, type Connection } from '../sources/postgres-connection.ts';
import { exportSnapshot } from '../sources/postgres-dump.ts';
import { clientFor } from '../sources/postgres-preflight.ts';
import type { Step } from '../step.ts';

export type CatalogueHead = Pick<ControlPlaneManifest, 'audit' | 'evidence' | 'migration'>;

/** pg_dump names every table it comes to: one of millions of rows takes minutes. */
const STALL_SECONDS = 1_800;

/** Into an absent file, in constant memory; the tables are read, never locked against writers. */
export async function dumpCatalogue(url: string, file: string, step: Step): Promise<CatalogueHead> {
  const address = parsePostgresUrl(url);
  const holder = await connect(address, step);
  try {
    const snapshot = await exportSnapshot(holder);
    const head = await headOf(holder);
    const { folder } = await clientFor(holder.serverVersion, address, findPostgresBinaries);
    const result = await runCommand(
      {
        tool: 'pg_dump',
        file: join(folder, 'pg_dump'),
        args: [...dumpArguments(file, snapshot), databaseArgument('--dbname', address.database)],
        env: toolEnvironment(address),
        stallSeconds: STALL_SECONDS,
        onStdoutLine: () => undefined,
      },
      step,
    );
    if (result.exitCode !== 0) throw failed(describeAddress(address), lastWords(result.stderr));
    // The transaction must have lived to the end of the dump.
    await holder.query('select 1');
    return head;
  } finally {
    await holder.close();
  }
}

/** The password is in the environment: an argument is seen by every user. */
export function dumpArguments(file: string, snapshot: string): string[] {
  return [
    '--format=custom',
    // The repository compresses and finds equal pieces, which it can't in what is compressed already.
    '--compress=0',
    '--no-owner',
    '--no-privileges',
    '--no-password',
    '--verbose',
    `--schema=${SCHEMA}`,
    `--snapshot=${snapshot}`,
    '--lock-wait-timeout=60000',
    `--file=${file}`,
  ];
}

async function headOf(holder: Connection): Promise<CatalogueHead> {
  const [audit] = await holder.query<{ sequence: string; hash: string }>(
    `select sequence, digest as hash from ${SCHEMA}.audit_head where sequence > 0`,
  );
  const [evidence] = await holder.query<{ sequence: string; digest: string }>(
    `select sequence, digest from ${SCHEMA}.evidence order by sequence desc limit 1`,
  );
  const [migration] = await holder.query<{ name: string }>(
    `select name from ${SCHEMA}.migrations order by id desc limit 1`,
  );
  return {
    audit: audit ? { ...audit, sequence: Number(audit.sequence) } : null,
    evidence: evidence ? { ...evidence, sequence: Number(evidence.sequence) } : null,
    migration: migration?.name ?? '',
  };
}

function failed(database: string, words: string): HoldfastError {
  const full = /no space left on device/i.test(words);
  return new HoldfastError({
    code: full ? 'staging.full' : 'tool.failed',
    message: `the catalogue ${database} could not be dumped`,
    cause: words,
    hint: full
      ? 'free space on the disk of the data directory: the dump lies there until it is stored'
      : 'the role the service runs as must be able to read every table of the catalogue; starting `holdfast up` as its owner grants that',
  });
}
