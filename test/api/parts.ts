import type { Client } from '@temporalio/client';
import type { Parts } from '../../api/wiring/parts.ts';
import type { Catalog } from '../../catalog/index.ts';

/** The parts of services that neither sign nor look into files. */
export function partsOf(catalog: Catalog, temporal: Client): Parts {
  const noKey = () => {
    throw new Error('nothing is signed here');
  };
  return {
    catalog,
    temporal,
    auditKey: { current: noKey, sign: noKey, rotate: noKey } as unknown as Parts['auditKey'],
    dataDir: '/nowhere',
    host: 'host',
  };
}
