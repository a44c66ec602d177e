import type { Client } from '@temporalio/client';
import type { Catalog } from '../../catalog/index.ts';

/** What the services are made of. */
export interface Parts {
  catalog: Catalog;
  temporal: Client;
}
