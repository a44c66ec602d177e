// Several pieces of evidence at once: each by itself, then their order, then whether any was taken out or put in.
// A set is as complete as its manifest or an export of the audit chain says; files given by name claim nothing.

import type { AuditEvent } from '../audit-chain.ts';
import type { Signatures } from '../audit-export.ts';
import { checkEvidence, type CheckedEvidence, type EvidenceFile, type EvidenceProblem } from './check.ts';
import { evidenceName, isEvidenceName } from './file-name.ts';
import { againstManifest, checkManifest, MANIFEST_FILE, type EvidenceManifest } from './manifest.ts';
import { EVIDENCE_START, type Statement } from './statement.ts';

export const EVIDENCE_RECORDED = 'evidence.recorded';

export interface EvidenceSet {
  files: readonly EvidenceFile[];
  /** They are all that a folder has: what is missing among them was taken out. */
  whole: boolean;
}

export interface EvidenceReport {
  ok: boolean;
  /** In their order. */
  items: CheckedEvidence[];
  problems: EvidenceProblem[];
  /** What shows that none is missing; null: nothing does. */
  completeBy: 'manifest' | 'audit' | null;
  manifest: EvidenceManifest | null;
}

/** `audit`: the events of an export that was checked; null: none was given. */
export function checkEvidenceSet(
  set: EvidenceSet,
  signatures: Signatures,
  { trusted, audit }: { trusted: string | null; audit: readonly AuditEvent[] | null },
): EvidenceReport {
  const claimed = set.files.filter(({ name }) => name.endsWith('.json') && name !== MANIFEST_FILE);
  const items = inOrder(claimed.map((file) => checkEvidence(file, signatures, trusted)));
  const listed = set.files.find(({ name }) => name === MANIFEST_FILE);
  const { manifest, problems } = listed
    ? checkManifest(listed.text, signatures, trusted)
    : { manifest: null, problems: [] };
  const bound = set.whole && !listed && audit === null ? [unbounded(set.files.length)] : [];
  const all = [
    ...items.flatMap((item) => item.problems),
    ...problems,
    ...faultsOfOrder(items, set.whole),
    ...(manifest ? againstManifest(manifest, set.files.filter(isListed), signatures) : []),
    ...(audit ? againstAudit(items, audit, set.whole ? (manifest ?? 'all') : null) : []),
    ...bound,
  ];
  return {
    ok: all.length === 0,
    items,
    problems: all,
    completeBy: manifest ? 'manifest' : audit && set.whole ? 'audit' : null,
    manifest,
  };
}

function isListed({ name }: EvidenceFile): boolean {
  return name !== MANIFEST_FILE && (isEvidenceName(name) || name.endsWith('.json'));
}

type Read = CheckedEvidence & { statement: Statement };

function inOrder(items: CheckedEvidence[]): CheckedEvidence[] {
  const place = ({ statement }: CheckedEvidence) => statement?.predicate.sequence ?? Number.POSITIVE_INFINITY;
  return items.toSorted((left, right) => place(left) - place(right) || (left.file < right.file ? -1 : 1));
}

function faultsOfOrder(items: readonly CheckedEvidence[], whole: boolean): EvidenceProblem[] {
  const read = items.filter((item): item is Read => item.statement !== null);
  return read.flatMap((item, index) => [
    ...(whole ? faultOfName(item) : []),
    ...faultAfter(read[index - 1] ?? null, item, whole),
  ]);
}

function faultOfName({ file, statement }: Read): EvidenceProblem[] {
  const name = `${evidenceName(statement)}.json`;
  return name === file
    ? []
    : [problem(file, 'order', `it stands under another's name: what it states is ${name}`)];
}

function faultAfter(before: Read | null, item: Read, whole: boolean): EvidenceProblem[] {
  const { sequence, previous, signedBy } = item.statement.predicate;
  if (before === null) {
    const starts = sequence !== 1 || previous === EVIDENCE_START;
    return starts ? [] : [problem(item.file, 'order', 'it calls itself the first and names one before it')];
  }
  const { sequence: last, signedBy: earlier } = before.statement.predicate;
  if (sequence === last) {
    return [problem(item.file, 'order', `it and ${before.file} both call themselves number ${sequence}`)];
  }
  if (sequence > last + 1) {
    const gap =
      sequence === last + 2 ? `number ${last + 1} is` : `numbers ${last + 1} to ${sequence - 1} are`;
    return whole
      ? [problem(null, 'missing', `${gap} missing: removed between ${before.file} and ${item.file}`)]
      : [];
  }
  if (previous !== before.digest) {
    return [
      problem(item.file, 'order', `it does not follow ${before.file}: one of the two was replaced or moved`),
    ];
  }
  if (signedBy.handovers.length < earlier.handovers.length) {
    return [
      problem(item.file, 'key', `it is signed by key ${signedBy.keyId}, which had been replaced before`),
    ];
  }
  return [];
}

/** `whole`: of what all must be there; null: of nothing. */
function againstAudit(
  items: readonly CheckedEvidence[],
  audit: readonly AuditEvent[],
  whole: EvidenceManifest | 'all' | null,
): EvidenceProblem[] {
  const events = audit.filter(({ action }) => action === EVIDENCE_RECORDED);
  const recorded = new Map(events.map(({ details }) => [Number(details['sequence']), details]));
  const there = new Set(items.map(({ statement }) => statement?.predicate.sequence));
  const listed =
    whole === 'all' || whole === null ? [] : whole.files.flatMap(({ sequence }) => sequence ?? []);
  const [first, last] = whole === 'all' ? [1, Infinity] : [Math.min(...listed), Math.max(...listed)];
  const missing = [...recorded.keys()].filter(
    (sequence) => whole !== null && sequence >= first && sequence <= last && !there.has(sequence),
  );
  return [
    ...items.flatMap(({ file, statement, digest, payloadDigest }) => {
      const details = statement && recorded.get(statement.predicate.sequence);
      if (!statement) return [];
      if (!details)
        return [problem(file, 'added', 'the audit chain knows nothing of it: it was made up, or is newer')];
      if (details['digest'] === digest) return [];
      return details['payload'] === payloadDigest
        ? [problem(file, 'signature', 'it states what the audit chain knows, under another signature')]
        : [problem(file, 'payload', 'it states something else than the evidence on the audit chain')];
    }),
    ...missing.map((sequence) =>
      problem(null, 'missing', `number ${sequence} is on the audit chain and not here: it was removed`),
    ),
  ];
}

function unbounded(files: number): EvidenceProblem {
  return problem(
    MANIFEST_FILE,
    'missing',
    files === 0
      ? 'there is no evidence here'
      : 'nothing shows that no evidence was removed from this folder, not even its end',
  );
}

function problem(file: string | null, altered: EvidenceProblem['altered'], what: string): EvidenceProblem {
  return { file, altered, claim: null, what };
}
