// Shares of a whole as people write them.

/**
 * `5%`, `0.5%`, `100%` → a fraction above 0 and up to 1; anything else null. The point is moved in the text:
 * 99.9 / 100 is 0.9990000000000001.
 */
export function parseShare(text: string): number | null {
  const written = /^(\d{1,3}(?:\.\d{1,6})?)\s?%$/.exec(text)?.[1];
  const share = Number(written === undefined ? Number.NaN : `${written}e-2`);
  return share > 0 && share <= 1 ? share : null;
}

/** For a reader, rounded up to a tenth of a percent: `5%`, `3.4%`. */
export function writeShare(share: number): string {
  return `${Math.ceil(Number((share * 1000).toFixed(6))) / 10}%`;
}
