// What a policy promises of its assets.

import { parseShare } from '../share.ts';
import * as value from './schema-values.ts';

/** Below half, "mostly works" would be a lie; at 100 % there is no budget, and one failure breaks the promise. */
const LEAST = 0.5;

const successRate = value.text(
  'a success rate',
  '99.5%',
  (written) => {
    const share = parseShare(written);
    if (share !== null && share >= LEAST) return share;
    return { message: 'not a success rate from 50% to 100%', fix: 'write it like 99% or 99.5%' };
  },
  '^[0-9]{1,3}([.][0-9]{1,6})? ?%$',
);

export const objectives = value.keys('objectives', {
  rpo: value.duration.optional(),
  rto: value.duration.optional(),
  provenWithin: value.duration.optional(),
  successRate: successRate.optional(),
});
