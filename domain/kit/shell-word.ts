/** As one word of a shell: bash and its like take it as it is, whatever is in it. */
export function shellWord(text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  // eslint-disable-next-line no-control-regex -- a line break would end the line that is to be copied
  if (!/[\0-\x1f\x7f]/.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`;
  const escaped = text.replaceAll(/[\\']/g, '\\$&').replaceAll(
    // eslint-disable-next-line no-control-regex -- as above
    /[\0-\x1f\x7f]/g,
    (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `$'${escaped}'`;
}
