// Checks evidence without any service: files by themselves, a folder as a whole.

import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { readEvent, type AuditEvent } from '../domain/audit-chain.ts';
import { ExportCheck } from '../domain/audit-export.ts';
import { HoldfastError, wordsOf } from '../domain/errors.ts';
import type { CheckedEvidence, EvidenceFile, EvidenceProblem } from '../domain/evidence/check.ts';
import {
  checkEvidenceSet,
  EVIDENCE_RECORDED,
  type EvidenceReport,
  type EvidenceSet,
} from '../domain/evidence/check-set.ts';
import { readPublicKey, signatures } from './audit-file.ts';
import type { Outcome } from './outcome.ts';

interface VerifyOptions {
  publicKey?: string;
  audit?: string;
}

export async function verify(
  paths: string[],
  { publicKey, audit: auditPath }: VerifyOptions,
): Promise<Outcome> {
  const trusted = publicKey === undefined ? null : await readPublicKey(publicKey);
  const audit = auditPath === undefined ? null : await auditEvents(auditPath, trusted);
  const reports: Checked[] = [];
  for (const set of await setsOf(paths)) {
    reports.push({ ...checkEvidenceSet(set, signatures, { trusted, audit }), path: set.path });
  }
  return verdict(reports, trusted !== null);
}

type Checked = EvidenceReport & { path: string };

/** Each folder by itself; the files that were named, together. */
async function setsOf(paths: string[]): Promise<(EvidenceSet & { path: string })[]> {
  const folders: (EvidenceSet & { path: string })[] = [];
  const named: EvidenceFile[] = [];
  for (const path of paths) {
    try {
      if ((await stat(path)).isDirectory()) {
        folders.push({ path, whole: true, files: await filesOf(path) });
      } else {
        named.push({ name: path, text: await readFile(path, 'utf8') });
      }
    } catch (error) {
      throw unreadable(`the evidence ${path}`, error, 'name signed files, or a folder of an export');
    }
  }
  if (named.length === 0) return folders;
  const files = named.map(({ name, text }) => ({ name: paths.length === 1 ? basename(name) : name, text }));
  return [
    ...folders,
    { path: paths.length === 1 ? (paths[0] ?? '') : 'the files named', whole: false, files },
  ];
}

async function filesOf(folder: string): Promise<EvidenceFile[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const wanted = names.filter((name) => /\.(json|md|html)$/.test(name)).sort();
  return Promise.all(
    wanted.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })),
  );
}

/** Of an export that is whole and signed; of another, nothing can be said. */
async function auditEvents(path: string, trusted: string | null): Promise<AuditEvent[]> {
  const check = new ExportCheck(signatures, trusted);
  const events: AuditEvent[] = [];
  try {
    const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
    for await (const line of lines) {
      if (!check.accept(line)) break;
      const event = readEvent(line);
      if (event?.action === EVIDENCE_RECORDED) events.push(event);
    }
  } catch (error) {
    throw unreadable(`the audit export ${path}`, error, 'name a file written by `holdfast audit export`');
  }
  const { problem } = check.report();
  if (problem === null) return events;
  throw new HoldfastError({
    code: 'proof.failed',
    message: `checking the audit chain in ${path} failed`,
    cause: `event ${problem.sequence}: ${problem.what}`,
    hint: 'hold the evidence against an export that is whole',
  });
}

function verdict(reports: Checked[], given: boolean): Outcome {
  const items = reports.flatMap((report) => report.items.map(itemOf));
  const problems = reports.flatMap((report) => report.problems);
  const completeBy = reports.map((report) => report.completeBy);
  const complete = completeBy.every((by) => by !== null);
  const data = { ok: problems.length === 0, complete, items, problems };
  if (problems.length === 0)
    return { data, text: () => reports.map((one) => wholeText(one, given)).join('\n') };
  return {
    data,
    error: {
      code: 'proof.failed',
      message: `checking evidence failed: ${problems.length === 1 ? 'something was' : `${problems.length} things were`} altered`,
      cause: problems.map(problemLine).join('\n'),
      hint: 'what is named cannot be relied on: compare with an export kept elsewhere, or export it again from the catalogue',
    },
  };
}

function itemOf({ file, statement, digest, keyKnown, problems }: CheckedEvidence) {
  // What something altered says of itself is not repeated as a fact.
  const predicate = problems.length === 0 ? statement?.predicate : undefined;
  return {
    ...{ file, digest, keyKnown, ok: problems.length === 0 },
    sequence: predicate?.sequence ?? null,
    drill: predicate?.record.drill.name ?? null,
    outcome: predicate?.verdict.outcome ?? null,
    endedAt: predicate?.record.endedAt ?? null,
    keyId: predicate?.signedBy.keyId ?? null,
  };
}

function problemLine({ file, altered, what }: EvidenceProblem): string {
  return `${file === null ? '' : `${file}: `}${altered}: ${what}`;
}

function wholeText({ path, items, manifest, completeBy }: Checked, given: boolean): string {
  const lines = items.map(itemOf).map(({ sequence, drill, outcome, endedAt, keyId }) => {
    const result = outcome === 'passed' ? outcome : outcome?.toUpperCase();
    return `  ${sequence}  ${drill}  ${endedAt}  ${result}  signed by key ${keyId}`;
  });
  const count = items.length === 1 ? '1 piece of evidence is' : `${items.length} pieces of evidence are`;
  const trust = given
    ? 'signed by the key given, or one it handed over to'
    : 'signed by the keys they name; give --public-key to know that those are yours';
  const bound =
    completeBy === 'manifest'
      ? `none is missing from the export of ${manifest?.madeAt}`
      : completeBy === 'audit'
        ? 'none that is on the audit chain is missing'
        : 'whether others were removed cannot be seen from files alone: check a whole export, or give --audit';
  return [`${path}: ${count} as signed`, ...lines, trust, bound].join('\n');
}

function unreadable(what: string, error: unknown, hint: string): HoldfastError {
  return new HoldfastError({ code: 'usage', message: `reading ${what} failed`, cause: wordsOf(error), hint });
}
