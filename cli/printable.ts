/**
 * Names and tools' words may hold anything, also what a terminal would obey: control characters are shown,
 * not sent. `lines` lets line breaks through.
 */
export function printable(text: string, options: { lines?: boolean } = {}): string {
  return text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => {
      if (character === '\n') return options.lines ? character : '\\n';
      if (character === '\t') return '\\t';
      if (character === '\r') return '\\r';
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    },
  );
}
