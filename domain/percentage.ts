/** `99.5%` → 0.995; anything else null. The point is moved in the text: 99.9 / 100 is 0.9990000000000001. */
export function parsePercentage(text: string): number | null {
  const number = /^(\d{1,3}(?:\.\d{1,6})?) ?%$/.exec(text)?.[1];
  return number === undefined ? null : Number(`${number}e-2`);
}
