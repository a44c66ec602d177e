// Sizes as people write them, and bytes. KiB, MiB, GiB, TiB are powers of 2^10; kB, MB, GB, TB powers of
// 10^3. (The `bytes` package takes "GB" as 2^30, so it is not used.)

const bytesPer: Record<string, number> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** `500GiB`, `1.5 MB`, `0B` → whole bytes; anything else, also a number without a unit, null. */
export function parseBytes(text: string): number | null {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(text) ?? [];
  const factor = Object.hasOwn(bytesPer, unit) ? bytesPer[unit] : undefined;
  if (number === undefined || factor === undefined) return null;
  const bytes = Math.round(Number(number) * factor);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** `20MiB/s` → bytes per second. */
export function parseByteRate(text: string): number | null {
  const size = /^(.+)\/s$/.exec(text)?.[1];
  return size === undefined ? null : parseBytes(size.trimEnd());
}

/** For a reader, in powers of 2^10: `312 B`, `2.1 GiB`, `48 GiB`, `1,204 GiB` never: `1.2 TiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 0) return `-${formatBytes(-bytes)}`;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let index = 0;
  while (index < units.length - 1 && Number(shown(value, index)) >= 1024) {
    value /= 1024;
    index += 1;
  }
  return `${shown(value, index)} ${units[index] ?? ''}`;
}

export function formatByteRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** One decimal below 10, none above, and none that is 0. */
function shown(value: number, unitIndex: number): string {
  return unitIndex === 0 || value >= 9.95 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, '');
}
