// The messages that tell how a drill ended, one for each channel that asks for drills. They lie in the outbox as soon
// as the result stands, so that a mail server that is away delays them and loses none.

import { randomUUID } from 'node:crypto';
import type { NewMessage, StoredEvidence } from '../../catalog/index.ts';
import type { NotificationChannel } from '../../domain/configuration/notification-types.ts';
import { evidenceFiles, statementIn } from '../../domain/evidence/files.ts';
import { drillSummary } from '../../domain/incidents/drill-summary.ts';
import type { DrillMessage } from '../../domain/incidents/message.ts';
import { takesDrillResult } from '../../domain/incidents/routing.ts';
import type { Deployment } from '../deployment.ts';

export async function resultMessages(
  { catalog, clock }: Deployment,
  signed: StoredEvidence,
  path: string,
): Promise<NewMessage[]> {
  const { notifications = [] } = (await catalog.configurations.current())?.configuration ?? {};
  const { record, verdict, sequence } = statementIn(signed.envelope).predicate;
  const result = drillSummary(record, verdict, { sequence, digest: signed.digest, path });
  return notifications
    .filter((channel) => takesDrillResult(channel, verdict.outcome, result.policies))
    .map((channel) => {
      const content: DrillMessage = {
        ...{ kind: 'drill', id: randomUUID(), createdAt: clock().toISOString(), result },
        files: filesFor(channel, signed),
      };
      return { channel: channel.name, content, about: `drill ${result.id}` };
    });
}

/** A mail takes what an auditor wants along: the signed file, and its rendering. */
function filesFor(
  { type }: NotificationChannel,
  { envelope, digest }: StoredEvidence,
): DrillMessage['files'] {
  if (type !== 'smtp') return [];
  return evidenceFiles(envelope, digest).filter(({ name }) => !name.endsWith('.md'));
}
