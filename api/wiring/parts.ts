import type { Client } from '@temporalio/client';
import type { Catalog } from '../../catalog/index.ts';
import type { AuditKey } from './audit-key.ts';

/** What the services are made of. */
export interface Parts {
  catalog: Catalog;
  temporal: Client;
  auditKey: AuditKey;
  /** Where this host keeps the histories its worker exported. */
  dataDir: string;
  /** As the chain names this machine. */
  host: string;
  /** This host's, if left out. */
  clock?: () => Date;
}
