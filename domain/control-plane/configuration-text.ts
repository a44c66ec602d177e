// The text of a configuration as a person wrote it, with one thing in it changed and nothing else.

import { isMap, isScalar, parseDocument } from 'yaml';

/** The same text with this data directory in it. */
export function withDataDir(text: string, dataDir: string): string {
  const document = parseDocument(text, { stringKeys: true });
  const written = JSON.stringify(dataDir);
  const value = document.get('dataDir', true);
  const range = isScalar(value) ? value.range : null;
  if (range) return `${text.slice(0, range[0])}${written}${text.slice(range[1])}`;
  const { contents } = document;
  if (value === undefined && isMap(contents) && !contents.flow)
    return `${text.trimEnd()}\ndataDir: ${written}\n`;
  document.set('dataDir', dataDir);
  return document.toString();
}
