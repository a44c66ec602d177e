import { formatDuration } from '../domain/duration.ts';
import { HoldfastError } from '../domain/errors.ts';

/** `10:00:02Z (6 h ago)`, on another day `2026-11-19 10:00:02Z (30 h ago)`; `-` for never. All in UTC. */
export function when(time: string | null, now = new Date()): string {
  if (time === null) return '-';
  return `${exact(time, now)} (${relative(time, now)})`;
}

/** `2026-11-20 10:00:02Z`; today's without the date. */
export function exact(time: string, now?: Date): string {
  const moment = new Date(time);
  if (Number.isNaN(moment.getTime())) return time;
  const [day = '', clock = ''] = moment.toISOString().split('T');
  const shortened = `${clock.slice(0, 8)}Z`;
  return now && now.toISOString().startsWith(day) ? shortened : `${day} ${shortened}`;
}

/** `6 h ago`, `in 18 h`, `just now`. */
export function relative(time: string, now = new Date()): string {
  const seconds = Math.round((now.getTime() - Date.parse(time)) / 1000);
  if (Number.isNaN(seconds)) return 'at an unknown time';
  if (Math.abs(seconds) < 1) return 'just now';
  return seconds > 0 ? `${coarse(seconds)} ago` : `in ${coarse(-seconds)}`;
}

/** One unit is enough to feel how long ago: `6 h`, not `6 h 12 m`. */
function coarse(seconds: number): string {
  const [count, unit] = formatDuration(seconds).split(' ');
  return `${count} ${unit}`;
}

/** What a person gives as a time: RFC 3339 without a zone is UTC, a date its beginning. */
export function moment(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(given) || !given.includes(':') ? given : `${given}Z`;
  const time = new Date(zoned);
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw new HoldfastError({
    code: 'usage',
    message: `${given} is not a time`,
    cause: 'it cannot be read as RFC 3339',
    hint: 'write it like 2026-11-20 or 2026-11-20T03:00:00Z',
  });
}
