// The words a person gives to a recovery point, by which retention may keep it. They become labels in the
// repository, where a comma parts two of them and blanks at the ends are lost: so neither stands in one.

export const MOST_TAGS = 16;

/** Begins with a letter or digit, so that on a command line it is never taken for an option. */
export const TAG_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,62}$/;

export const TAG_RULE = '1 to 63 of A-Z, a-z, 0-9 and ". _ : / @ + -", beginning with a letter or digit';

/** Each once, in one order: what was asked for does not depend on how it was written. */
export function inOneOrder(tags: readonly string[]): string[] {
  return [...new Set(tags)].sort();
}
