// A piece of evidence as the files it is kept as: signed, and rendered twice for those who read it.

import type { EvidenceFile } from './check.ts';
import { htmlOf, markdownOf } from './document.ts';
import { parsed, readEnvelope } from './envelope.ts';
import { evidenceName } from './file-name.ts';
import { evidenceDocument } from './render.ts';
import type { Statement } from './statement.ts';

/** Of an envelope that this program signed or checked; the signed file last. */
export function evidenceFiles(envelope: string, digest: string): EvidenceFile[] {
  const statement = statementIn(envelope);
  const name = evidenceName(statement);
  const document = evidenceDocument(statement, digest);
  return [
    { name: `${name}.md`, text: markdownOf(document) },
    { name: `${name}.html`, text: htmlOf(document) },
    { name: `${name}.json`, text: envelope },
  ];
}

export function statementIn(envelope: string): Statement {
  const opened = readEnvelope(envelope);
  if (typeof opened === 'string') throw new Error(`no evidence: ${opened}`);
  return parsed(opened.payload) as Statement;
}
