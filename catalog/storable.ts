// PostgreSQL stores neither NUL nor half a surrogate pair, and tools' words and file names hold both. What
// goes into the catalogue has U+FFFD in their place: an error must not be lost because of its spelling.

/** A query's parameter, or anything inside one. */
export function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  return Array.isArray(value) ? value.map(storable) : value;
}

/** For a jsonb column: cleaned, then written out, because node-postgres makes SQL arrays of arrays. */
export function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(storableJson(value));
}

export function storableJson<T>(value: T): T {
  if (typeof value === 'string') return storableText(value) as T;
  if (Array.isArray(value)) return value.map(storableJson) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [storableText(key), storableJson(member as unknown)]),
  ) as T;
}

function storableText(text: string): string {
  return text.replaceAll(/\0|\p{Surrogate}/gu, '\uFFFD');
}
