// The text of a configuration as a person wrote it, with one thing in it changed and nothing else.

import { isMap, isScalar, parseDocument, type Document } from 'yaml';

/** The same text with this data directory in it. */
export function withDataDir(text: string, dataDir: string): string {
  const document = parseDocument(text, { stringKeys: true });
  return withValue(text, document, ['dataDir'], dataDir, `dataDir: ${JSON.stringify(dataDir)}`);
}

/** The same text with this as `catalog.url`. */
export function withCatalogUrl(text: string, url: string): string {
  const document = parseDocument(text, { stringKeys: true });
  return withValue(text, document, ['catalog', 'url'], url, `catalog: { url: ${JSON.stringify(url)} }`);
}

/** `line`: what is added where there is none of it. */
function withValue(text: string, document: Document, path: string[], to: string, line: string): string {
  const value = document.getIn(path, true);
  const range = isScalar(value) ? value.range : null;
  if (range) return `${text.slice(0, range[0])}${JSON.stringify(to)}${text.slice(range[1])}`;
  const { contents } = document;
  if (!document.has(path[0]) && isMap(contents) && !contents.flow) return `${text.trimEnd()}\n${line}\n`;
  document.setIn(path, to);
  return document.toString();
}
