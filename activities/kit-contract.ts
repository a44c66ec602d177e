import type { WrittenKit } from '../catalog/index.ts';

// What the workflow of the recovery kit knows of the hands: as in contract.ts, which gives it out.

export interface WriteKit {
  /** The same at every attempt. */
  kitId: string;
  /** Absolute, on the host; null: as configured, or `kit` beside the configuration. */
  folder: string | null;
  /** Empty: as configured. */
  recipients: string[];
  /** Absolute, on the host: sealed with the passphrase in it instead. */
  passphraseFile: string | null;
  /** By a person; else it was outdated. */
  asked: boolean;
  actor: string;
}

/** On the queue of the host that reaches the repositories. */
export interface KitActivities {
  /** Seals what opens the repositories, and writes it with its sheet. No secret leaves the host in plain. */
  writeKit(input: WriteKit): Promise<WrittenKit>;
}
