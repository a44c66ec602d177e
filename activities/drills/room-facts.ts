// What an auditor asks of the place a drill was held in: whose clock it was measured by and which tools
// worked there.

import { access, realpath } from 'node:fs/promises';
import type { DrillRecord } from '../../domain/evidence/record.ts';
import { resolveTool } from '../../tools/resolve.ts';
import { postgresServerBinaries } from '../hosts/postgres-binaries.ts';
import type { Step } from '../step.ts';
import { digestOfFile } from '../verify/file-digest.ts';

/** What systemd writes when a time server has answered; without it nothing is claimed. */
const TIMESYNC = '/run/systemd/timesync/synchronized';

export async function clockFacts(): Promise<DrillRecord['clock']> {
  const synchronised = await access(TIMESYNC).then(
    () => true,
    () => false,
  );
  return synchronised
    ? { source: 'systemd-timesyncd', synchronised: true, offsetSeconds: null }
    : { source: 'unknown', synchronised: null, offsetSeconds: null };
}

/** Those that the types of asset need, as they are on this host. */
export async function toolFacts(types: readonly string[], step: Step): Promise<DrillRecord['tools']> {
  const restic = await resolveTool('restic');
  const found = [{ name: 'restic', version: restic.version, path: restic.path }];
  if (types.includes('sqlite')) {
    const sqlite3 = await resolveTool('sqlite3');
    found.push({ name: 'sqlite3', version: sqlite3.version, path: sqlite3.path });
  }
  if (types.includes('postgres')) {
    const { version, folder } = await postgresServerBinaries();
    found.push({ name: 'postgres', version: String(version), path: `${folder}/postgres` });
  }
  return Promise.all(
    found.map(async ({ name, version, path }) => ({
      ...{ name, version },
      sha256: await digestOfFile(await realpath(path), step),
    })),
  );
}
