// The keys that keep a repository inside its limits, and how long idempotency keys are kept.

import { parseByteRate } from '../bytes.ts';
import type { Refusal } from './say.ts';
import * as value from './schema-values.ts';

/** Off has to be written: a limit that was left out is the default. */
const uploadRate = value.text('a rate', '20MiB/s', (written): number | 'unlimited' | Refusal => {
  if (written === 'unlimited') return written;
  const rate = parseByteRate(written);
  const fix = 'write it like 20MiB/s (2^20) or 20MB/s (10^6), or unlimited';
  if (rate === null) return { message: 'not a rate: a number, a unit and "/s"', fix };
  // restic counts in KiB/s, and takes 0 for no limit at all.
  return rate < 1024 ? { message: 'restic cannot be held below 1 KiB/s', fix } : rate;
});

const timeOfDay = value.text(
  'a time of day in UTC',
  '"02:00"',
  (written) => {
    const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(written) ?? [];
    if (hours === undefined || minutes === undefined)
      return { message: 'not a time of day', fix: 'write it like "02:00", in UTC' };
    return Number(hours) * 3600 + Number(minutes) * 60;
  },
  '^([01][0-9]|2[0-3]):[0-5][0-9]$',
);

const percent = value.text(
  'a share',
  '90%',
  (written) => {
    const number = /^(\d{1,3})%$/.exec(written)?.[1];
    if (number === undefined || Number(number) < 1 || Number(number) > 100)
      return { message: 'not a share: a whole number from 1 to 100 and "%"', fix: 'write it like 90%' };
    return Number(number);
  },
  '^[0-9]{1,3}%$',
);

export const limits = value.keys('limits', {
  upload: uploadRate.optional(),
  dailyUpload: value.size.optional(),
  dailyReset: timeOfDay.optional(),
});

export const headroom = value.keys('headroom', {
  highWatermark: percent.optional(),
  lowWatermark: percent.optional(),
  capacity: value.size.optional(),
});

export const idempotency = value.keys('idempotency', { keep: value.duration.optional() });
