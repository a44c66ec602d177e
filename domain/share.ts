// Shares of a whole as people write them.

/** `5%`, `0.5%`, `100%` → a fraction above 0 and up to 1; anything else null. */
export function parseShare(text: string): number | null {
  const written = /^(\d{1,3}(?:\.\d+)?)\s?%$/.exec(text);
  const percent = Number(written?.[1] ?? Number.NaN);
  return percent > 0 && percent <= 100 ? percent / 100 : null;
}

/** For a reader, rounded up to a tenth of a percent: `5%`, `3.4%`. */
export function writeShare(share: number): string {
  return `${Math.ceil(Number((share * 1000).toFixed(6))) / 10}%`;
}
