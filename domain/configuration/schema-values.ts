// The single values a configuration is made of: what is taken, what is said when it is not, and what it
// becomes. Their descriptions end up in the published JSON Schema.

import { z } from 'zod';
import { parseBytes } from '../bytes.ts';
import { parseDuration } from '../duration.ts';
import { invalidExcludePatterns } from '../exclude-pattern.ts';
import { isRefusal, parseSecretReference } from '../secret-reference.ts';
import { parseShare } from '../share.ts';
import { refuseCron } from './cadence.ts';
import { refuseDatabaseUrl } from './database-url.ts';
import { refuseRepositoryUrl } from './repository-url.ts';
import type { RawIssue, Refusal } from './say.ts';
import { expects, expectsText, say } from './say.ts';
import type { Command, DatabaseUrlSource } from './types.ts';

/** A mapping whose other keys are refused. The words of that refusal are the list of known keys: see findings.ts. */
export function keys<Shape extends z.core.$ZodLooseShape>(
  what: string,
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  const other = expects(what, `${Object.keys(shape)[0] ?? ''}: …`);
  const error = (issue: RawIssue) =>
    issue.code === 'unrecognized_keys' ? Object.keys(shape).join('\n') : other(issue);
  return z.strictObject(shape, { error });
}

export function list<Item extends z.ZodType>(item: Item, what: string, example: string): z.ZodArray<Item> {
  return z.array(item, { error: expects(what, example) });
}

/** A text that becomes something else, or is refused in the words `read` gives. */
export function text<Result>(
  what: string,
  example: string,
  read: (text: string) => Result | Refusal,
  pattern?: string,
) {
  // "24" is no better a duration than 24: quotes are advised only where a text of digits could be meant.
  const kind = /^\d/.test(example) ? expects : expectsText;
  return z
    .string({ error: kind(what, example) })
    .meta({ description: `${what}, for example ${example}`, ...(pattern === undefined ? {} : { pattern }) })
    .transform((written, context): Result => {
      const result = read(written);
      if (!isRefused(result)) return result;
      context.addIssue({ code: 'custom', message: say(result.message, result.fix) });
      return z.NEVER;
    });
}

function isRefused(result: unknown): result is Refusal {
  return typeof result === 'object' && result !== null && 'fix' in result;
}

/** Names become parts of workflow ids, tags and file names, and words on command lines: so never "-x". */
const namePattern = '^[a-z0-9][a-z0-9._-]{0,62}$';
export const name = text(
  'a name',
  'orders-db',
  (written) =>
    new RegExp(namePattern).test(written)
      ? written
      : {
          message: 'a name is 1 to 63 of a-z, 0-9, ".", "_" and "-", and starts with a letter or digit',
          fix: written.startsWith('-')
            ? 'begin it with a letter: "-" would make it an option'
            : 'rename it, for example orders-db',
        },
  namePattern,
);

/** A person, a team or a role, in the user's own words; shown in evidence and never looked up. */
export const owner = text(
  'who answers for it',
  'platform team',
  (written) => {
    if (/^[^\p{Cc}]{1,200}$/u.test(written) && written.trim() === written) return written;
    return { message: 'an owner is one line of up to 200 characters', fix: 'write a name or a team' };
  },
  '^\\S(.{0,198}\\S)?$',
);

export const duration = text('a duration', '24h', (written) => parseDuration(written) ?? refusedDuration);
const refusedDuration: Refusal = {
  message: 'not a duration: numbers with units, longer than 0',
  fix: 'write it like 90s, 30m (minutes), 24h, 7d, 2w or 1h30m',
};

/** restic reads "m" as months, everything else here as minutes: neither is taken. */
export const keepWithin = text('a duration', '30d', (written) => {
  const seconds = parseDuration(written);
  if (seconds !== null && /[ms]/.test(written)) {
    return {
      message: '"m" would be minutes here and months to restic',
      fix: 'write hours, days or weeks, like 24h or 30d',
    };
  }
  return seconds ?? refusedDuration;
});

/** Becomes a part of 1. */
export const share = text(
  'a percentage',
  '50%',
  (written) =>
    parseShare(written) ?? {
      message: 'not a percentage above 0 % and up to 100 %',
      fix: 'write it like 50%',
    },
  '^\\d+(\\.\\d+)? ?%$',
);

const wholeNumber = z.int({ error: expects('a whole number', '1') });
export const count = wholeNumber.min(0, say('less than nothing', 'write 0 or more'));
export const port = wholeNumber
  .min(1, say('not a port', 'write a number from 1 to 65535'))
  .max(65_535, say('not a port', 'write a number from 1 to 65535'));

export const size = z.union([
  count,
  text('a size', '10MiB', (written) => {
    const fix = 'write it like 10MiB (2^20), 10MB (10^6) or a number of bytes';
    return parseBytes(written) ?? { message: 'not a size: a number and a unit', fix };
  }),
]);

export const path = text('a path', '/srv/app/uploads', (written) => {
  if (written === '') return { message: 'the path is empty', fix: 'write it, or leave the key out' };
  if (written.startsWith('-')) return { message: 'the path starts with "-"', fix: 'write ./ before it' };
  if (written.startsWith('~'))
    return { message: '~ is not expanded', fix: 'write the whole path, or ./ before it' };
  if (written.includes('\0')) return { message: 'the path has a NUL in it', fix: 'take it out' };
  return written;
});

export const excludePattern = text('a pattern', '*.tmp', (written) => {
  if (written === '' || /[\0\n]/.test(written)) {
    return { message: 'the pattern is empty or has a line break in it', fix: 'write one pattern an entry' };
  }
  if (invalidExcludePatterns([written]).length === 0) return written;
  return {
    message: 'restic does not take this pattern',
    fix: 'close each [, and write \\ before a sign meant as itself',
  };
});

const referencePattern = '^(env|file|cmd):.+$';
export const secret = text('a secret, as a reference', 'env:NAME', readReference, referencePattern);

/** Law 2: an empty password, or none, would let restic keep everything readable. */
const noPassword: Refusal = {
  message: 'a repository without a password is refused: it would be readable by whoever gets at it',
  fix: 'write its key into a file only you can read (mode 0600) and write password: file:PATH',
};
const passwordKind = expectsText('a secret, as a reference', 'file:./repository.key');
export const repositoryPassword = z
  .string({
    error: (issue: RawIssue) =>
      issue.input === null || issue.input === false
        ? say(noPassword.message, noPassword.fix)
        : passwordKind(issue),
  })
  .meta({ description: "the repository's key, as a reference", pattern: referencePattern })
  .transform((written, context) => {
    const none = /^\s*(none|no|off|false|null|empty|)\s*$/i.test(written);
    const reference = none ? noPassword : parseSecretReference(written);
    if (!('message' in reference)) return reference;
    context.addIssue({ code: 'custom', message: say(reference.message, reference.fix) });
    return z.NEVER;
  });

export const repositoryUrl = text(
  'a path or a URL restic knows',
  's3:https://…/bucket',
  (written) => refuseRepositoryUrl(written) ?? written,
);

export const databaseUrl = text(
  'a PostgreSQL URL, by reference',
  'env:ORDERS_URL',
  (written): DatabaseUrlSource | Refusal => {
    if (/^(env|file|cmd):/.test(written)) return readReference(written);
    if (/^postgres(ql)?:\/\/[^@]*:[^@]*@|[?&](ssl)?password=/.test(written)) {
      return {
        message: 'the URL has a password written out in it',
        fix: 'put the whole URL behind env:NAME, file:PATH or cmd:COMMAND',
      };
    }
    return refuseDatabaseUrl(written) ?? { kind: 'literal', value: written };
  },
);

export const cron = text(
  'a cron expression',
  '"0 3 * * *"',
  (written) => refuseCron(written) ?? written.trim(),
);

export const httpUrl = text('a URL', 'http://127.0.0.1:8080/api/health', (written) => {
  const url = URL.canParse(written) ? new URL(written) : null;
  if (!url || !/^https?:\/\//.test(written))
    return { message: 'not a URL of a page', fix: 'begin it with http:// or https://' };
  if (url.username || url.password)
    return { message: 'the URL has a secret written out in it', fix: 'take user and password out' };
  return written;
});

const word = z
  .string({ error: expectsText('a word', 'restart') })
  .refine((written) => !written.includes('\0'), say('the word has a NUL in it', 'take it out'));

const commandKind = expects('a command as a list of words', '[systemctl, stop, shop]');
export const command = z
  .array(word, {
    error: (issue: RawIssue) =>
      typeof issue.input === 'string'
        ? say(
            'a command is a list of words: no shell reads it',
            'write [systemctl, stop, shop], or [sh, -c, "…"] for a shell',
          )
        : commandKind(issue),
  })
  .refine(
    ([program = '']) => program !== '' && !program.startsWith('-'),
    say('the command names no program', 'begin with one'),
  )
  .meta({ description: 'program and arguments, never given to a shell', minItems: 1 })
  .transform((words): Command => [words[0] ?? '', ...words.slice(1)]);

export const commands = list(command, 'a list of commands', '[[systemctl, stop, shop]]');

export const sql = z
  .string({ error: expectsText('a query', '"select count(*) > 0 from orders"') })
  .refine((written) => written.trim() !== '', say('the query is empty', 'write one that answers true'))
  .meta({ description: 'a query whose first row and column must be true' });

function readReference(written: string) {
  const reference = parseSecretReference(written);
  return isRefusal(reference) ? { message: reference.message, fix: reference.fix } : reference;
}
