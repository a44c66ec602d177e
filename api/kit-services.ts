// What the routes of the recovery kit need from the rest of the house.

import type { WrittenKit } from '../catalog/index.ts';
import type { Actor } from './services.ts';

export interface KitRequest {
  /** Absolute, on the host; null: as configured, or `kit` beside the configuration. */
  folder: string | null;
  /** Empty: as configured. */
  recipients: string[];
  /** Absolute, on the host. */
  passphraseFile: string | null;
}

export interface KitItem extends WrittenKit {
  /** It says what is true now. */
  current: boolean;
}

export interface KitServices {
  exportKit(actor: Actor, request: KitRequest): Promise<KitItem>;
  /** `notFound` where none was ever written. */
  showKit(): Promise<KitItem>;
  confirmKit(actor: Actor): Promise<KitItem>;
}
