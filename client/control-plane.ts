import type { Client } from '@temporalio/client';
import type { ControlPlaneInput } from '../workflows/messages.ts';
import { startOnce } from './jobs.ts';

/** `control-plane/offsite-2026-11-21T02:00:00.000Z`. */
export function controlPlaneWorkflowId(repository: string, at: Date): string {
  return `control-plane/${repository}-${at.toISOString()}`;
}

/** Returns at once. */
export async function startControlPlaneBackup(
  client: Client,
  workflowId: string,
  input: ControlPlaneInput,
): Promise<void> {
  await startOnce(client, 'backupControlPlane', workflowId, input);
}
