// restic's exclude patterns, matched exactly as restic matches them, so that a manifest covers what restic
// stores. A port of restic's internal/filter and of Go's filepath.Match; paths are byte strings (one
// character per byte), because file names need not be UTF-8 and Go matches bytes.

/** Whether an absolute path, given as bytes, is excluded. What lies in an excluded folder never gets asked. */
export type IsExcluded = (path: string) => boolean;

/** Patterns in restic's words; they must be valid (`invalidExcludePatterns`). Empty ones are ignored, as by restic. */
export function excludePatterns(patterns: readonly string[]): IsExcluded {
  const prepared = patterns.filter((pattern) => pattern !== '').map(prepare);
  if (prepared.length === 0) return () => false;
  return (path) => {
    const components = split(path);
    let excluded = false;
    for (const pattern of prepared) {
      if (pattern.negated !== excluded) continue;
      if (matches(pattern.parts, components)) excluded = !pattern.negated;
    }
    return excluded;
  };
}

/** Those restic would refuse. */
export function invalidExcludePatterns(patterns: readonly string[]): string[] {
  return patterns.filter((pattern) => pattern !== '' && prepare(pattern).parts.some(isMalformed));
}

interface Pattern {
  negated: boolean;
  parts: Part[];
}

interface Part {
  /** `/` as the first of an absolute pattern, `` for `**`. */
  text: string;
  literal: boolean;
}

function prepare(pattern: string): Pattern {
  const negated = pattern.startsWith('!');
  const parts = split(clean(utf8Bytes(negated ? pattern.slice(1) : pattern))).map((part) => ({
    text: part === '**' ? '' : part,
    literal: !/[\\[\]*?]/.test(part),
  }));
  return { negated, parts };
}

/** Go's filepath.Clean: no `.`, no empty component, `..` resolved as far as it can be. */
function clean(path: string): string {
  const rooted = path.startsWith('/');
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!rooted) kept.push(part);
  }
  return (rooted ? '/' : '') + kept.join('/') || '.';
}

/** The first component of an absolute path is `/`. */
function split(path: string): string[] {
  const parts = path.split('/');
  if (parts[0] === '') parts[0] = '/';
  return parts;
}

function matches(pattern: Part[], path: string[]): boolean {
  const wildcard = pattern.findIndex((part) => part.text === '');
  if (wildcard >= 0) return matchesWithDoubleWildcard(pattern, wildcard, path);
  if (pattern.length === 0 || pattern.length > path.length) return pattern.length === path.length;

  const anchored = pattern[0]?.text === '/';
  const last = anchored ? 0 : path.length - pattern.length;
  const first = !anchored && path[0] === '/' ? 1 : 0;
  for (let offset = last; offset >= first; offset -= 1) {
    if (pattern.every((part, index) => matchesPart(part, path[offset + index] ?? ''))) return true;
  }
  return false;
}

/** `**` stands for any number of components, none included. */
function matchesWithDoubleWildcard(pattern: Part[], at: number, path: string[]): boolean {
  const star: Part = { text: '*', literal: false };
  for (let count = 0; count <= path.length - pattern.length + 1; count += 1) {
    const between = new Array<Part>(count).fill(star);
    if (matches([...pattern.slice(0, at), ...between, ...pattern.slice(at + 1)], path)) return true;
  }
  return false;
}

function matchesPart(part: Part, name: string): boolean {
  return part.literal ? part.text === name : matchesName(part.text, name);
}

function isMalformed(part: Part): boolean {
  try {
    matchesName(part.text, part.text);
    return false;
  } catch {
    return true;
  }
}

/** Go's filepath.Match, byte for byte, including that `*` may end within a character. Throws on a malformed pattern. */
function matchesName(pattern: string, name: string): boolean {
  let rest = pattern;
  let subject = name;
  next: while (rest.length > 0) {
    const { star, chunk, after } = nextChunk(rest);
    rest = after;
    if (star && chunk === '') return !subject.includes('/');
    const here = matchChunk(chunk, subject);
    if (here !== null && (here === '' || rest.length > 0)) {
      subject = here;
      continue;
    }
    if (star) {
      for (let skip = 0; skip < subject.length && subject[skip] !== '/'; skip += 1) {
        const later = matchChunk(chunk, subject.slice(skip + 1));
        if (later === null || (rest === '' && later !== '')) continue;
        subject = later;
        continue next;
      }
    }
    return false;
  }
  return subject === '';
}

function nextChunk(pattern: string): { star: boolean; chunk: string; after: string } {
  const stars = /^\**/.exec(pattern)?.[0].length ?? 0;
  const rest = pattern.slice(stars);
  let inClass = false;
  let end = 0;
  for (; end < rest.length; end += 1) {
    const byte = rest[end];
    if (byte === '\\') end += 1;
    else if (byte === '[') inClass = true;
    else if (byte === ']') inClass = false;
    else if (byte === '*' && !inClass) break;
  }
  return { star: stars > 0, chunk: rest.slice(0, end), after: rest.slice(end) };
}

/** What is left of the subject after the chunk, or null. Reads the whole chunk either way, to find it malformed. */
function matchChunk(chunk: string, subject: string): string | null {
  let failed = false;
  let left = subject;
  let at = 0;
  while (at < chunk.length) {
    failed ||= left.length === 0;
    const byte = chunk[at];
    if (byte === '[') {
      const character = failed ? 0 : runeAt(left, 0).rune;
      if (!failed) left = left.slice(runeAt(left, 0).width);
      const set = readClass(chunk, at + 1, character);
      failed ||= !set.contains;
      at = set.end;
    } else if (byte === '?') {
      if (!failed) {
        failed = left[0] === '/';
        left = left.slice(runeAt(left, 0).width);
      }
      at += 1;
    } else {
      if (byte === '\\') at += 1;
      if (at >= chunk.length) throw new Error('bad pattern');
      if (!failed) {
        failed = chunk[at] !== left[0];
        left = left.slice(1);
      }
      at += 1;
    }
  }
  return failed ? null : left;
}

function readClass(chunk: string, start: number, character: number): { contains: boolean; end: number } {
  let at = start;
  const negated = chunk[at] === '^';
  if (negated) at += 1;
  let found = false;
  for (let ranges = 0; ; ranges += 1) {
    if (chunk[at] === ']' && ranges > 0) return { contains: found !== negated, end: at + 1 };
    const low = readClassCharacter(chunk, at);
    let high = low;
    if (chunk[low.end] === '-') high = readClassCharacter(chunk, low.end + 1);
    found ||= low.rune <= character && character <= high.rune;
    at = high.end;
  }
}

function readClassCharacter(chunk: string, start: number): { rune: number; end: number } {
  let at = start;
  if (at >= chunk.length || chunk[at] === '-' || chunk[at] === ']') throw new Error('bad pattern');
  if (chunk[at] === '\\') at += 1;
  if (at >= chunk.length) throw new Error('bad pattern');
  const { rune, width } = runeAt(chunk, at);
  const end = at + width;
  if ((rune === REPLACEMENT && width === 1) || end >= chunk.length) throw new Error('bad pattern');
  return { rune, end };
}

const REPLACEMENT = 0xfffd;

/** The UTF-8 character that begins there; an invalid byte is U+FFFD of width 1, as in Go. */
function runeAt(bytes: string, at: number): { rune: number; width: number } {
  const first = bytes.charCodeAt(at);
  if (first < 0x80) return { rune: first, width: 1 };
  const invalid = { rune: REPLACEMENT, width: 1 };
  const width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + width > bytes.length) return invalid;
  let rune = first & (0xff >> (width + 1));
  for (let index = 1; index < width; index += 1) {
    const byte = bytes.charCodeAt(at + index);
    if ((byte & 0xc0) !== 0x80) return invalid;
    rune = (rune << 6) | (byte & 0x3f);
  }
  const smallest = [0, 0, 0x80, 0x800, 0x10000][width] ?? 0;
  if (rune < smallest || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) return invalid;
  return { rune, width };
}

function utf8Bytes(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}
