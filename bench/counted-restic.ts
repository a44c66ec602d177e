// A restic that counts its calls: a script of the same name, first on the PATH, that leaves a line and becomes
// the real one. Both sides run it, so both pay for it.

import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveTool } from '../tools/resolve.ts';

export interface CountedRestic {
  path: string;
  version: string;
  /** Put it first on the PATH. */
  folder: string;
  /** Since the beginning; asking for the version does not count. */
  calls(): Promise<Call[]>;
}

export interface Call {
  /** Milliseconds since 1970. */
  at: number;
  verb: string;
}

export async function countedRestic(folder: string): Promise<CountedRestic> {
  const real = await resolveTool('restic', { install: false });
  const log = join(folder, 'calls');
  const path = join(folder, 'restic');
  await mkdir(folder, { recursive: true });
  await writeFile(log, '');
  const script = [
    '#!/bin/sh',
    `[ "$1" = version ] || echo "$(date +%s%3N) $1" >> ${quoted(log)}`,
    `exec ${quoted(real.path)} "$@"`,
  ];
  await writeFile(path, `${script.join('\n')}\n`);
  await chmod(path, 0o755);
  return {
    path,
    version: real.version,
    folder,
    calls: async () =>
      (await readFile(log, 'utf8'))
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [at = '', verb = ''] = line.split(' ');
          return { at: Number(at), verb };
        }),
  };
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", `'"'"'`)}'`;
}
