// The words of a refusal travel through zod as one text: what is wrong, a line break, what to do about it.
// They never contain the value: parse.ts adds that, masked.

/** Why something is not taken, in two parts for the reader. Neither contains the value. */
export interface Refusal {
  message: string;
  fix: string;
}

/** As much of zod's raw issue as the words need. */
export interface RawIssue {
  code?: string | undefined;
  input?: unknown;
}

export function say(message: string, fix: string): string {
  return `${message}\n${fix}`;
}

export function heard(words: string): Refusal {
  const [message = '', fix = ''] = words.split('\n');
  return { message, fix };
}

/** For a schema's `error`: the value is missing or of another kind than `what`. */
export function expects(what: string, example: string): (issue: RawIssue) => string | undefined {
  return (issue) => {
    if (issue.code !== 'invalid_type') return undefined;
    if (issue.input === undefined) return say(`missing: ${what}`, `add it, for example ${example}`);
    if (issue.input === null)
      return say(`nothing is written here; expected ${what}`, `write it, for example ${example}`);
    return say(`expected ${what}, found ${kindOf(issue.input)}`, `write it like ${example}`);
  };
}

/** For a text: a number or a truth value may stand there only because quotes are missing. */
export function expectsText(what: string, example: string): (issue: RawIssue) => string | undefined {
  const other = expects(what, example);
  return (issue) => {
    const unquoted = issue.code === 'invalid_type' && /^(number|boolean|bigint)$/.test(typeof issue.input);
    if (!unquoted) return other(issue);
    return say(
      `expected ${what}, found ${kindOf(issue.input)}`,
      'put it in quotes if it is meant as written',
    );
  };
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  const kinds: Record<string, string> = { string: 'a text', number: 'a number', boolean: 'a truth value' };
  return kinds[typeof value] ?? 'a mapping';
}
