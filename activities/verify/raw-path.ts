// Paths as their exact bytes. A file name is bytes, not text: a JavaScript string made from it through UTF-8
// loses those that are not UTF-8. Here each byte is one character (latin1), which compares in the order of
// the bytes and costs no more memory than the name.

/** One character per byte, relative to a root without a leading slash; the root itself is ``. */
export type RawPath = string;

export function rawOfText(text: string): RawPath {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** What file system calls take. */
export function bufferOfRaw(raw: RawPath): Buffer {
  return Buffer.from(raw, 'latin1');
}

export function joinRaw(folder: RawPath, name: RawPath): RawPath {
  if (folder === '' || name === '') return folder + name;
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

export function parentOfRaw(path: RawPath): RawPath {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** `a` is `b`, or lies in it. */
export function isWithin(a: RawPath, b: RawPath): boolean {
  return b === '' || a === b || (a.startsWith(b) && a[b.length] === '/');
}

/** The order in which a walk meets them: component by component, bytes by value. */
export function compareRaw(a: RawPath, b: RawPath): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    if (left === 0x2f) return -1;
    if (right === 0x2f) return 1;
    return left - right;
  }
  return a.length - b.length;
}

/** The text, when the bytes are exactly that text in UTF-8; else null. */
export function textOfRaw(raw: RawPath): string | null {
  const text = bufferOfRaw(raw).toString('utf8');
  return rawOfText(text) === raw ? text : null;
}

/** For a reader: one line, with what is not printable or not UTF-8 written as `\xff`. */
export function showRaw(raw: RawPath): string {
  const text = textOfRaw(raw);
  const escape = (character: string) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  if (text === null) return raw.replaceAll(/[^\x20-\x7e]/g, escape);
  return text.replaceAll(/\p{Cc}/gu, escape);
}

/** One word of a line-based file: printable, without spaces; `decodeRaw` gives the bytes back. */
export function encodeRaw(raw: RawPath): string {
  if (raw === '-') return '%2d';
  return raw.replaceAll(
    /[^\x21-\x24\x26-\x7e]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

export function decodeRaw(word: string): RawPath {
  return word.replaceAll(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
