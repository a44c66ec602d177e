// YAML text → plain value, with the line and column of everything in it.

import type { Document, Node, YAMLError } from 'yaml';
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Path } from './problem.ts';
import { shownKey } from './shown-value.ts';

export interface Position {
  line: number;
  column: number;
}

/** Something wrong with the YAML itself. Never yaml's own message: some of those quote the text. */
export interface Misprint extends Position {
  message: string;
  fix: string;
}

export interface ConfigurationDocument {
  /** undefined when the text can't be understood; `misprints` then says why. */
  value: unknown;
  misprints: Misprint[];
  /** Where the value at a path starts, or its key; of what is not there, the nearest thing around it. */
  positionOf(path: Path, atKey?: boolean): Position;
}

export function readDocument(text: string): ConfigurationDocument {
  const lines = new LineCounter();
  const start: Position = { line: 1, column: 1 };
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return line === 0 ? start : { line, column: col };
  };
  try {
    if (nestsTooDeeply(text)) throw new RangeError('nested too deeply');
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
    // One slip in YAML can be followed by hundreds that are none: the first ones tell.
    const errors: Misprint[] = [...document.errors, ...document.warnings].slice(0, 10).map((error) => ({
      ...positionAt(error.pos[0]),
      ...explain(error, text),
    }));
    const misprints = [...errors, ...unknownAliases(document, positionAt)];
    const understood =
      misprints.length === 0 || document.errors.every((error) => error.code === 'DUPLICATE_KEY');
    return {
      value: understood && misprints.length === errors.length ? (document.toJS() as unknown) : undefined,
      misprints,
      positionOf: (path, atKey = false) => positionAt(offsetOf(document, path, atKey)),
    };
  } catch {
    // yaml itself throws where aliases multiply beyond its limit.
    const message = 'this is nested too deeply, or its aliases repeat too much';
    const misprint = { ...start, message, fix: 'write it out more simply' };
    return { value: undefined, misprints: [misprint], positionOf: () => start };
  }
}

/**
 * yaml reads nested collections by recursion, and V8 ends the process when a regular expression is compiled
 * with the stack all but used up: so this is found out before. No configuration has a tenth of it.
 */
function nestsTooDeeply(text: string): boolean {
  let depth = 0;
  let deepest = 0;
  for (const sign of text) {
    if (sign === '[' || sign === '{') deepest = Math.max(deepest, (depth += 1));
    else if (sign === ']' || sign === '}') depth = Math.max(0, depth - 1);
  }
  return deepest > 100 || /^[ \t?:-]{200}/m.test(text);
}

function explain(error: YAMLError, text: string): { message: string; fix: string } {
  if (error.code === 'DUPLICATE_KEY') {
    const key = shownKey(/^["']?([\w.-]*)/.exec(text.slice(error.pos[0]))?.[1] ?? '');
    return { message: `the key "${key}" is here twice`, fix: 'keep one of the two' };
  }
  const [message, fix] = explanations[error.code] ?? [
    'this is not YAML',
    'look at this line and the one before it',
  ];
  return { message, fix };
}

const explanations: Partial<Record<YAMLError['code'], [message: string, fix: string]>> = {
  BAD_DQ_ESCAPE: [
    'this escape is unknown in double quotes',
    'use single quotes, or write \\\\ for a backslash',
  ],
  BAD_INDENT: [
    'the indentation does not fit, or a bracket is not closed',
    'align it with its neighbours; close [ and {',
  ],
  BAD_SCALAR_START: ['a value cannot start with this character', 'put the value in quotes'],
  BLOCK_AS_IMPLICIT_KEY: [
    'two ": " in one line',
    'put the value in quotes, or the second key on a line of its own',
  ],
  MISSING_CHAR: [
    'a character is missing: a quote, a colon, a comma or a space',
    'look at this line and the one before it',
  ],
  MULTILINE_IMPLICIT_KEY: ['a key goes over several lines', 'write "key: value"; a ":" may be missing'],
  MULTIPLE_DOCS: ['a second document starts here', 'keep one configuration in a file: remove "---"'],
  NON_STRING_KEY: ['a key is not a text', 'put it in quotes'],
  TAB_AS_INDENT: ['a tab indents this line', 'indent with spaces'],
  TAG_RESOLVE_FAILED: ['a tag ("!…") is not known here', 'remove it, or put the value in quotes'],
};

/** yaml notices these only while it makes values, and then without a position. */
function unknownAliases(document: Document, positionAt: (offset: number) => Position): Misprint[] {
  const found: Misprint[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document)) return;
      const fix = 'define it before with "&", or put the value in quotes if it starts with "*"';
      found.push({
        ...positionAt(alias.range?.[0] ?? 0),
        message: 'this alias ("*…") is not defined above',
        fix,
      });
    },
  });
  return found;
}

function offsetOf(document: Document, path: Path, atKey: boolean): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    const target: Node | undefined = isAlias(node) ? node.resolve(document) : isNode(node) ? node : undefined;
    if (isSeq(target)) node = target.items[Number(step)];
    else if (isMap(target)) {
      const pair = target.items.find((item) => isScalar(item.key) && item.key.value === step);
      offset = startOf(pair?.key) ?? offset;
      if (atKey && index === path.length - 1) return offset;
      node = pair?.value;
    } else return offset;
    offset = startOf(node) ?? offset;
  }
  return offset;
}

/** undefined for what is not written: a null that is nothing after a colon has no place worth showing. */
function startOf(node: unknown): number | undefined {
  if (!isNode(node) || !node.range) return undefined;
  if (isScalar(node) && node.value === null && !node.source) return undefined;
  return node.range[0];
}
