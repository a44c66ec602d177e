import { Client, Connection } from '@temporalio/client';
import { HoldfastError, wordsOf } from '../domain/errors.ts';

/** Workflows and catalogue steps; each host has a queue of its own beside it. */
export const TASK_QUEUE = 'holdfast';

export interface TemporalAddress {
  address: string;
  namespace: string;
}

/** Connects when it is first used, and again after the server was away. */
export function connect({ address, namespace }: TemporalAddress): Client {
  return new Client({ connection: Connection.lazy({ address, connectTimeout: '5 s' }), namespace });
}

/** gRPC failures in the contract's words. */
export async function asking<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    const name = error instanceof Error ? error.name : '';
    if (name === 'WorkflowNotFoundError') {
      throw new HoldfastError({
        code: 'notFound',
        message: `${what}: Temporal does not know it any more`,
        cause: wordsOf(error),
        hint: 'it has ended; its outcome is in the catalogue',
      });
    }
    throw new HoldfastError({
      code: 'service.unreachable',
      message: `${what}: Temporal did not take it`,
      cause: wordsOf(error),
      hint: 'look whether the Temporal server runs (`holdfast up` restarts it), then try again',
    });
  }
}
