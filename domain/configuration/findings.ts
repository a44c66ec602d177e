// What zod found, in our words: the nearest known key or word is named, and of a union only the branch the
// writer meant is spoken of.

import type { z } from 'zod';
import { suggestion } from './nearest.ts';
import type { Finding, Path } from './problem.ts';
import type { RawIssue } from './say.ts';
import { heard } from './say.ts';

type Issue = z.core.$ZodIssue;

export function findingsOf(issues: readonly Issue[], document: unknown, base: Path = []): Finding[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key) => unknownKey(path, key, issue.message.split('\n')));
      case 'invalid_union':
        if (issue.discriminator !== undefined)
          return [unknownWord(path, document, 'options' in issue ? issue.options : [])];
        return findingsOf(branchMeant(issue.errors), document, path);
      case 'invalid_value':
        if (issue.message.includes('\n')) return [{ path, ...heard(issue.message) }];
        return [unknownWord(path, document, issue.values)];
      case 'invalid_key':
        return issue.issues.slice(0, 1).map((inner) => ({ path, atKey: true, ...heard(inner.message) }));
      default:
        return [{ path, ...heard(issue.message) }];
    }
  });
}

/** zod's words where the schema has none of its own: they must not reach a reader half-finished. */
export function plainWords(issue: RawIssue): string | undefined {
  const known = ['unrecognized_keys', 'invalid_union', 'invalid_value', 'invalid_key'];
  return known.includes(issue.code ?? '')
    ? undefined
    : 'this is not taken here\nsee holdfast.schema.json for what is';
}

export function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

function unknownKey(path: Path, key: string, known: readonly string[]): Finding {
  const place = { path: [...path, key], atKey: true };
  if (/insecure|^(no)?encrypt/i.test(key)) {
    const message = 'encryption is not optional: nothing leaves a site in plain';
    return { ...place, message, fix: 'take it out and give the repository a password: file:PATH' };
  }
  return { ...place, message: 'unknown key', fix: suggestion(key, known, 'take it out') };
}

function unknownWord(path: Path, document: unknown, options: readonly unknown[]): Finding {
  const written = valueAt(document, path);
  const known = options.map(String);
  if (written === undefined) return { path, message: 'missing', fix: `add one of ${known.join(', ')}` };
  const fix =
    typeof written === 'string'
      ? suggestion(written, known, 'take it out')
      : `use one of ${known.join(', ')}`;
  return { path, message: 'not known here', fix };
}

/** The branch that takes this kind of value and only finds something inside it; else the last one. */
function branchMeant(branches: readonly Issue[][]): readonly Issue[] {
  const wrongKind = (issue: Issue) => issue.code === 'invalid_type' && issue.path.length === 0;
  return branches.find((issues) => !issues.some(wrongKind)) ?? branches.at(-1) ?? [];
}
