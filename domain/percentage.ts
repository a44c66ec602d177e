/** `99.5%` → 0.995; anything else null. Divided once, so that 99.9% is the same number wherever it is written. */
export function parsePercentage(text: string): number | null {
  const number = /^(\d{1,3}(?:\.\d{1,6})?) ?%$/.exec(text)?.[1];
  return number === undefined ? null : Number(number) / 100;
}
