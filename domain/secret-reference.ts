// Secrets are references (law 5): the configuration says where a secret is, never what it is. This file
// reads and writes the words; resolving them is I/O and happens inside the activity that needs the secret.

export type SecretReference =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  /** Run as an argument list, never through a shell; the secret is its standard output. */
  | { readonly kind: 'cmd'; readonly command: readonly string[] };

/** Why a text is no secret reference, in two parts for the reader. Neither contains the text. */
export interface ReferenceRefusal {
  message: string;
  fix: string;
}

/**
 * Reads `env:NAME`, `file:PATH` or `cmd:COMMAND ARGUMENT…`. A command is split at white space; quotes
 * ('…' or "…") keep white space in an argument and mean nothing else. There is no shell: no variables,
 * pipes, globs or `~`, and what would need one unquoted is refused instead of passed on literally.
 */
export function parseSecretReference(text: string): SecretReference | ReferenceRefusal {
  const [, kind, rest = ''] = /^(env|file|cmd):(.*)$/s.exec(text) ?? [];
  switch (kind) {
    case 'env':
      if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(rest)) return { kind, name: rest };
      return { message: 'env: is not followed by the name of a variable', fix: 'write it as env:NAME' };
    case 'file':
      return readFileReference(rest);
    case 'cmd':
      return readCommandReference(rest);
    default:
      return {
        message: 'a secret is written out where a reference belongs',
        fix: 'put it into a file only you can read (mode 0600) and write file:PATH, or use env:NAME or cmd:COMMAND',
      };
  }
}

export function isRefusal(result: SecretReference | ReferenceRefusal): result is ReferenceRefusal {
  return 'message' in result;
}

/** The words again; `parseSecretReference` reads them back as the same reference. */
export function formatSecretReference(reference: SecretReference): string {
  switch (reference.kind) {
    case 'env':
      return `env:${reference.name}`;
    case 'file':
      return `file:${reference.path}`;
    case 'cmd':
      return `cmd:${reference.command.map(quoted).join(' ')}`;
  }
}

/**
 * What may be shown of a text that stands where a secret belongs: of a reference its kind and place (a
 * command without its arguments, which may hold the secret), of anything else nothing, not even its length.
 */
export function mask(text: string): string {
  const reference = parseSecretReference(text);
  if (isRefusal(reference)) return MASKED;
  if (reference.kind !== 'cmd') return formatSecretReference(reference);
  const [program = '', ...words] = reference.command;
  return `cmd:${quoted(program)}${words.length > 0 ? ' …' : ''}`;
}

export const MASKED = '****';

function readFileReference(path: string): SecretReference | ReferenceRefusal {
  if (path.trim() === '') return { message: 'file: is not followed by a path', fix: 'write it as file:PATH' };
  if (path.startsWith('~')) return { message: '~ is not expanded', fix: 'write the whole path' };
  if (/[\0\r\n]/.test(path))
    return { message: 'the path has a line break or a NUL in it', fix: 'write it on one line' };
  if (path === '/dev/null')
    return { message: 'an empty secret protects nothing', fix: 'name a file with a secret in it' };
  return { kind: 'file', path };
}

function readCommandReference(text: string): SecretReference | ReferenceRefusal {
  const words = text.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? [];
  if (words.join('').length !== withoutWhiteSpaceBetween(text)) {
    return { message: 'a quote in the command is not closed', fix: 'close it, or drop it' };
  }
  const unquotedText = words.map((word) => word.replaceAll(/'[^']*'|"[^"]*"/g, '')).join(' ');
  if (/[|&;<>$`\\\0]/.test(unquotedText) || words.some((word) => word.startsWith('~'))) {
    return {
      message: 'the command needs a shell, and none is used',
      fix: 'put it into a script and write cmd:/path/to/script',
    };
  }
  const command = words.map((word) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'));
  if (!command[0])
    return { message: 'cmd: is not followed by a command', fix: 'write it as cmd:COMMAND ARGUMENT…' };
  if (command[0].startsWith('-'))
    return { message: 'the command starts with "-"', fix: 'begin with a program' };
  return { kind: 'cmd', command };
}

/** How long the words are if they cover the whole text: less than that means an odd quote was skipped. */
function withoutWhiteSpaceBetween(text: string): number {
  return text.replaceAll(/('[^']*'|"[^"]*")|\s/g, '$1').length;
}

function quoted(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}
