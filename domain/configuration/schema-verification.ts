// How a policy asks for its stored bytes to be read back, and its points to be rehearsed, on a cadence of
// their own. An empty block takes every default; which values go together is in rules-verification.ts.

import { parseShare } from '../share.ts';
import * as value from './schema-values.ts';
import type { Verification } from './types.ts';

const share = value.text(
  'a share',
  '5%',
  (written) =>
    parseShare(written) ?? {
      message: 'not a share: a number above 0 and up to 100, with "%"',
      fix: 'write it like 5%, or leave it out for as much as within needs',
    },
);

export const verification = value.keys('how stored bytes are read back', {
  every: value.duration.optional(),
  cron: value.cron.optional(),
  readData: share.optional(),
  within: value.duration.optional(),
  rehearse: value.duration.optional(),
});

export const verificationDefaults = { everySeconds: 86_400, withinSeconds: 30 * 86_400 } as const;

interface Written {
  every?: number | undefined;
  cron?: string | undefined;
  readData?: number | undefined;
  within?: number | undefined;
  rehearse?: number | undefined;
}

export function normaliseVerification(written: Written | undefined): Verification | null {
  if (!written) return null;
  return {
    cadence:
      written.cron === undefined
        ? { kind: 'every', seconds: written.every ?? verificationDefaults.everySeconds }
        : { kind: 'cron', expression: written.cron },
    readShare: written.readData ?? null,
    withinSeconds: written.within ?? verificationDefaults.withinSeconds,
    rehearseSeconds: written.rehearse ?? null,
  };
}
