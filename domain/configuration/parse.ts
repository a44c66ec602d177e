// The text of a configuration file → the configuration, or everything that is wrong with it at once.

import type { ConfigurationDocument } from './document.ts';
import { readDocument } from './document.ts';
import { findingsOf, plainWords, valueAt } from './findings.ts';
import { normalise } from './normalise.ts';
import type { Finding, Problem } from './problem.ts';
import { ConfigurationError, formatPath } from './problem.ts';
import { brokenRules } from './rules.ts';
import { configurationSchema } from './schema.ts';
import { shownValue } from './shown-value.ts';
import type { Configuration } from './types.ts';
import { warningsOf } from './warnings.ts';

export interface ConfigurationSource {
  /** As messages name it. */
  file: string;
  /** Absolute; where relative paths start. */
  folder: string;
}

export interface ParsedConfiguration {
  configuration: Configuration;
  warnings: Problem[];
}

/** Throws a ConfigurationError with every problem, in the order of the lines. No secret is in any of them. */
export function parseConfiguration(text: string, source: ConfigurationSource): ParsedConfiguration {
  const document = readDocument(text);
  const misprints = document.misprints.map(({ line, column, message, fix }): Problem => {
    return { file: source.file, line, column, path: '', message, value: null, fix };
  });
  if (document.value === undefined) throw new ConfigurationError(source.file, misprints);

  const result = isEmpty(document.value)
    ? { success: false as const, findings: [emptyConfiguration] }
    : check(document.value, source.folder);
  const found = result.success
    ? []
    : result.findings.map((finding) => locate(finding, document, source.file));
  const problems = [...misprints, ...found].sort((a, b) => a.line - b.line || a.column - b.column);
  if (!result.success || problems.length > 0) throw new ConfigurationError(source.file, problems);

  const { configuration } = result;
  const warnings = warningsOf(configuration).map((finding) => locate(finding, document, source.file));
  return { configuration, warnings };
}

type Checked = { success: true; configuration: Configuration } | { success: false; findings: Finding[] };

function check(value: unknown, folder: string): Checked {
  const parsed = configurationSchema.safeParse(value, { error: plainWords });
  const broken = brokenRules(value, folder);
  if (parsed.success && broken.length === 0)
    return { success: true, configuration: normalise(parsed.data, folder) };
  const findings = findingsOf(parsed.error?.issues ?? [], value);
  return { success: false, findings: [...findings, ...broken] };
}

const emptyConfiguration: Finding = {
  path: [],
  message: 'the configuration is empty',
  fix: 'run `holdfast init` to have one written, or start from examples/one-machine/holdfast.yaml',
};

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

function locate(finding: Finding, document: ConfigurationDocument, file: string): Problem {
  const { path, atKey = false, firstAt, message, fix } = finding;
  const first = firstAt && document.positionOf(firstAt, atKey);
  return {
    file,
    ...document.positionOf(path, atKey),
    path: formatPath(path),
    message: first ? `${message} (the first is at ${first.line}:${first.column})` : message,
    value: atKey ? null : shownValue(path, valueAt(document.value, path)),
    fix,
  };
}
