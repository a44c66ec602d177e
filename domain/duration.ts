// Durations as people write them, and seconds. A day is 24 hours; calendar units (months, years) are left
// out on purpose: "m" is minutes here and months to restic.

const secondsPer = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
type Unit = keyof typeof secondsPer;

/**
 * `30m`, `24h`, `7d`, `1h30m` → whole seconds, more than none; anything else null. A number without a
 * unit is no duration, which is why the `ms` package (24 → 24 milliseconds) is not used.
 */
export function parseDuration(text: string): number | null {
  const written = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (!written) return null;
  const [, ...counts] = written;
  const units: Unit[] = ['w', 'd', 'h', 'm', 's'];
  const seconds = units.reduce((sum, unit, index) => sum + Number(counts[index] ?? 0) * secondsPer[unit], 0);
  return seconds > 0 && Number.isSafeInteger(seconds) ? seconds : null;
}

/** The shortest text `parseDuration` reads back as the same seconds: 86400 → `1d`, 5400 → `1h30m`. */
export function writeDuration(seconds: number): string {
  return split(Math.max(0, Math.round(seconds)), ['w', 'd', 'h', 'm', 's'])
    .map(([count, unit]) => `${count}${unit}`)
    .join('');
}

/** For a reader: `41 s`, `3 m 10 s`, `6 h`, `2 d 4 h`. The two largest units, the smaller only if it is not 0. */
export function formatDuration(seconds: number): string {
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  if (seconds > 0 && seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  const [first, second] = split(rounded(seconds), ['d', 'h', 'm', 's']);
  if (!first) return '0 s';
  const adjoining = second && secondsPer[second[1]] * 100 > secondsPer[first[1]] ? [first, second] : [first];
  return adjoining.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** To the second below an hour, to the minute below a day, else to the hour: so that 3599.6 s is `1 h`. */
function rounded(seconds: number): number {
  const whole = Math.round(seconds);
  const step = whole < 3600 ? 1 : whole < 86_400 ? 60 : 3600;
  return Math.round(whole / step) * step;
}

function split(seconds: number, units: Unit[]): [number, Unit][] {
  let rest = seconds;
  const parts: [number, Unit][] = [];
  for (const unit of units) {
    const count = Math.floor(rest / secondsPer[unit]);
    rest -= count * secondsPer[unit];
    if (count > 0) parts.push([count, unit]);
  }
  return parts;
}
