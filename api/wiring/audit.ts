import { CHAIN_START } from '../../domain/audit-chain.ts';
import type { ExportLine } from '../../domain/audit-export.ts';
import type { Services } from '../services.ts';
import { notInForce, ownKeys } from './audit-key.ts';
import type { Parts } from './parts.ts';

type AuditServices = Pick<
  Services,
  'listAudit' | 'exportAudit' | 'verifyAudit' | 'auditKey' | 'rotateAuditKey'
>;

export function auditServices({ catalog, auditKey }: Parts): AuditServices {
  return {
    listAudit: (filter, page) => catalog.audit.list({ ...filter, ...page }),
    exportAudit: (actor) => exported(actor.name),
    verifyAudit: () => catalog.audit.verify(),
    auditKey: () => auditKey.shown(),
    rotateAuditKey: (actor, reason) => auditKey.rotate(actor.name, reason),
  };

  /** What is signed is the last event that was sent, whatever is added meanwhile. */
  async function* exported(actor: string): AsyncGenerator<ExportLine> {
    await catalog.as(actor).audit.append({ action: 'audit.exported', subject: 'audit', details: {} });
    const keys = ownKeys();
    let head = { sequence: 0, digest: CHAIN_START };
    for await (const event of catalog.audit.stream()) {
      head = { sequence: event.sequence, digest: event.digest };
      keys.follow(event);
      yield event;
    }
    const { keyId, publicKey } = auditKey.shown();
    const state = keys.state(publicKey);
    if (state !== 'inForce') throw notInForce('the audit export was not signed', keyId, state);
    yield { signedHead: auditKey.signHead(head, new Date().toISOString()) };
  }
}
