// Where a repository cuts files into blobs: two that cut in other places recognise nothing of one another.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { HoldfastError } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import type { ResticConnection } from './restic-connection.ts';
import { runRestic } from './restic-run.ts';

const config = z.object({ chunker_polynomial: z.string().min(1) });

/** A digest: the parameters themselves tell something of the data to whoever sees the sizes of blobs. */
export async function chunkerOf(connection: ResticConnection, step: Step): Promise<string> {
  const operation = `reading the parameters of repository ${connection.name}`;
  const { stdout } = await runRestic(connection, { operation, args: ['cat', 'config', '--no-lock'] }, step);
  const { data } = config.safeParse(JSON.parse(stdout.slice(stdout.indexOf('{'))));
  if (data) return createHash('sha256').update(data.chunker_polynomial).digest('hex').slice(0, 32);
  throw new HoldfastError({
    code: 'tool.failed',
    message: `${operation} failed: restic's answer has an unknown shape`,
    cause: 'it has no chunker_polynomial',
    hint: 'check that restic is the version `holdfast doctor` asks for',
  });
}
