import type { Client } from '@temporalio/client';
import type { RemovePointInput } from '../workflows/messages.ts';
import { answered } from './looks.ts';

/** Returns when the point is gone from these repositories. The same removal asked twice runs once. */
export async function removePoint(client: Client, input: RemovePointInput): Promise<void> {
  await answered(client, 'removePoint', `removal/${input.point}/${input.repositories.join('+')}`, input);
}
