import { CHAIN_START } from '../../domain/audit-chain.ts';
import { KEY_CREATED, KEY_ROTATED, type ExportLine } from '../../domain/audit-export.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { Services } from '../services.ts';
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
    let named = '';
    let head = { sequence: 0, digest: CHAIN_START };
    for await (const event of catalog.audit.stream()) {
      head = { sequence: event.sequence, digest: event.digest };
      if (event.action === KEY_CREATED || event.action === KEY_ROTATED) named = event.subject;
      yield event;
    }
    const { keyId } = auditKey.shown();
    if (named !== `key/${keyId}`) throw anotherKey(keyId, named);
    yield { signedHead: auditKey.signHead(head, new Date().toISOString()) };
  }
}

function anotherKey(own: string, named: string): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: 'the audit export was not signed',
    cause: `this service has the key ${own}, and the chain names ${named}: it was rotated just now, or elsewhere`,
    hint: 'export again; on several machines, from the one whose `keys` folder has that key',
  });
}
