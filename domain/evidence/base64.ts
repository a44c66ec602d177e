// Base64 (RFC 4648) of UTF-8 text, read strictly: one text has one spelling, so that no character of it can be
// altered without being found.

export function encodeBase64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}

/** null: it is not exactly what `encodeBase64` writes for some text. */
export function decodeBase64(base64: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return encodeBase64(text) === base64 ? text : null;
  } catch {
    // No base64, or no UTF-8.
    return null;
  }
}
