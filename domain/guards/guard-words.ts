// The limits of a repository in a sentence, for who checks a configuration: also those that nobody wrote.

import { formatByteRate, formatBytes } from '../bytes.ts';
import type { Repository } from '../configuration/types.ts';

/** `offsite: uploads at most 50 MiB/s, 500 GiB a day from 02:00 UTC; full at 95 %, open again below 90 %`. */
export function guardWords({ name, limits, headroom }: Repository): string {
  const { uploadBytesPerSecond: rate, dailyUpload } = limits;
  const uploads = [
    rate === null ? 'uploads without limit' : `uploads at most ${formatByteRate(rate)}`,
    ...(dailyUpload
      ? [`${formatBytes(dailyUpload.bytes)} a day from ${timeOfDay(dailyUpload.resetSeconds)} UTC`]
      : []),
  ].join(', ');
  if (!headroom) return `${name}: ${uploads}`;
  const of = headroom.capacityBytes === null ? '' : ` of ${formatBytes(headroom.capacityBytes)}`;
  return `${name}: ${uploads}; full at ${headroom.highPercent} %${of}, open again below ${headroom.lowPercent} %`;
}

function timeOfDay(seconds: number): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor((seconds % 3600) / 60))}`;
}
