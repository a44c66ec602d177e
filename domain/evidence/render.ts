// The evidence of one drill for a reader: what was asked, what was found, and everything it rests on. Made from
// the signed statement alone, so that the same statement always reads the same.

import { formatBytes } from '../bytes.ts';
import { formatDuration } from '../duration.ts';
import type { Block, Document } from './document.ts';
import { exactly, integrityHolds, type DrillOutcome } from './outcome.ts';
import type { DrillCheck, DrilledAsset, DrillRecord, IntegrityFigures } from './record.ts';
import type { Statement } from './statement.ts';

/** `digest`: SHA-256 of the signed file. */
export function evidenceDocument({ predicate, subject }: Statement, digest: string): Document {
  const { record, verdict, sequence } = predicate;
  const { outcome, reasons } = verdict;
  return {
    title: `Evidence ${sequence}: drill ${record.drill.name}, ${record.endedAt.slice(0, 10)}`,
    blocks: [
      { kind: 'verdict', good: outcome === 'passed', text: `${outcome.toUpperCase()}: ${SAYS[outcome]}` },
      ...listOf(reasons.map(({ asset, what }) => (asset === null ? what : `${asset}: ${what}`))),
      { kind: 'facts', facts: drillFacts(record) },
      { kind: 'heading', text: 'Objectives' },
      { kind: 'table', head: ['', 'objective', 'achieved'], rows: objectiveRows(record) },
      { kind: 'heading', text: 'Assets' },
      { kind: 'table', head: ASSET_HEAD, rows: record.assets.map(assetRow) },
      { kind: 'heading', text: 'Integrity: as noted at backup time, and as restored' },
      { kind: 'table', head: INTEGRITY_HEAD, rows: record.assets.flatMap(integrityRows) },
      ...table('Checks and smoke tests', ['of', 'check', 'result', 'detail'], checkRows(record)),
      ...table('Timeline', ['at', 'of', 'what'], timelineRows(record)),
      ...table('Phases', ['phase', 'began', 'took'], phaseRows(record)),
      { kind: 'heading', text: 'Production' },
      { kind: 'table', head: ['asset', 'shown by', 'result'], rows: productionRows(record) },
      ...table('Keys', ['of repository', 'reference', 'came from'], record.keys.map(keyRow)),
      ...table('Tools', ['tool', 'version', 'SHA-256'], record.tools.map(toolRow)),
      ...table('Commands', ['of', 'command', 'exit code', 'took'], commandRows(record)),
      ...table('Failures', ['of', 'phase', 'what', 'next'], failureRows(record)),
      ...table('Corrective actions', ['id', 'what', 'owner', 'due', 'retested by'], actionRows(record)),
      { kind: 'heading', text: 'What was restored' },
      { kind: 'table', head: ['subject', 'digest'], rows: subject.map(subjectRow) },
      { kind: 'heading', text: 'Signature' },
      {
        kind: 'facts',
        facts: [
          ['this file', `SHA-256 ${digest}`],
          ['the evidence before it', `SHA-256 ${predicate.previous}`],
          ['recorded', predicate.recordedAt],
          ['signed by key', `${predicate.signedBy.keyId} (Ed25519)`],
          ['handed over', `${predicate.signedBy.handovers.length} times since the first key`],
        ],
      },
      {
        kind: 'text',
        text: 'This text is made from the signed file and proves nothing by itself: `holdfast evidence verify` checks that file with the public key alone.',
      },
    ],
  };
}

const SAYS: Record<DrillOutcome, string> = {
  passed: 'everything came back as it was, within its objectives',
  missed: 'everything came back, and an objective was missed',
  failed: 'something did not come back as it was',
  inconclusive: 'not everything was measured and compared: this is no pass',
};

const ASSET_HEAD = ['asset', 'owner', 'class', 'recovery point', 'its age', 'RPO', 'RTO', 'restored'];
const INTEGRITY_HEAD = ['asset', '', 'files', 'bytes', 'tables', 'rows', 'digest', 'result'];

function drillFacts(record: DrillRecord): [string, string][] {
  const { drill, sampling, source, clock, environment, configuration } = record;
  const window =
    sampling.windowSeconds === null ? '' : ` of the last ${formatDuration(sampling.windowSeconds)}`;
  const seed = sampling.seed === null ? '' : `, seed ${sampling.seed}`;
  const offset = clock.offsetSeconds === null ? 'offset unknown' : `offset ${clock.offsetSeconds} s`;
  const retests = drill.retests.map(({ drill: id, action }) => `${action} of drill ${id}`).join(', ');
  return [
    ['drill', `${drill.name} (${drill.id}), ${drill.trigger}`],
    ['due', drill.dueAt ?? '-'],
    ['owner', drill.owner ?? 'none named'],
    ['retests', retests || '-'],
    ['scenario', record.scenario],
    ['policies', configuration.policies.join(', ') || '-'],
    ['policy version', `configuration ${configuration.digest}`],
    ['sampling', `${sampling.rule}${window}${seed}; ${sampling.candidates} points to choose from`],
    ['source copy', `${source.repository} (${source.type}): ${source.location}`],
    ['began', record.startedAt],
    ['ended', record.endedAt],
    ['clock', `${clock.source}, ${stateOf(clock.synchronised)}, ${offset}`],
    ['environment', `${environment.kind} on ${environment.host}, ${environment.platform}`],
    ['Holdfast', environment.holdfast],
    ['operator', record.operator],
    ['approver', record.approver ?? 'none when it was signed; a sign-off since then is on the audit chain'],
  ];
}

function stateOf(synchronised: boolean | null): string {
  if (synchronised === null) return 'not known whether synchronised';
  return synchronised ? 'synchronised' : 'NOT synchronised';
}

function objectiveRows({ objectives, measured }: DrillRecord): string[][] {
  return [
    ['RTO', ...held(objectives.rtoSeconds, measured.rtoSeconds)],
    ['RPO', ...held(objectives.rpoSeconds, measured.rpoSeconds)],
  ];
}

function held(objective: number | null, achieved: number | null): string[] {
  const missed = objective !== null && achieved !== null && achieved > objective;
  const measured = achieved === null ? 'not measured' : exactly(achieved);
  return [objective === null ? 'none set' : exactly(objective), missed ? `${measured}: MISSED` : measured];
}

function assetRow({ asset, assetType, owner, class: of, point, rpo, rto, restored }: DrilledAsset): string[] {
  const against = ({ objectiveSeconds, achievedSeconds }: DrilledAsset['rpo']) =>
    held(objectiveSeconds, achievedSeconds).reverse().join(' of ');
  return [
    `${asset} (${assetType})`,
    owner ?? 'none named',
    of,
    point === null ? 'NONE' : `${point.id} of ${point.takenAt}, ${point.proof} before`,
    point === null ? '-' : formatDuration(point.ageSeconds),
    against(rpo),
    against(rto),
    restored ? 'yes' : 'NO',
  ];
}

function integrityRows({ asset, integrity }: DrilledAsset): string[][] {
  if (integrity === null) return [[asset, '', '', '', '', '', '', 'NOT COMPARED']];
  const holds = integrityHolds(integrity);
  const result = holds === null ? 'NOT COMPARED' : holds ? 'the same' : 'DIFFERENT';
  const differences = integrity.differences.map((what) => [asset, 'difference', '', '', '', '', '', what]);
  return [
    [asset, 'noted', ...figureCells(integrity.expected), ''],
    [asset, 'restored', ...figureCells(integrity.restored), result],
    ...differences,
  ];
}

function figureCells({ files, bytes, tables, rows, digest }: IntegrityFigures): string[] {
  const count = (value: number | null) => (value === null ? '-' : String(value));
  return [
    count(files),
    bytes === null ? '-' : `${bytes} (${formatBytes(bytes)})`,
    count(tables),
    count(rows),
    digest ?? '-',
  ];
}

function checkRows({ assets, smoke }: DrillRecord): string[][] {
  const row = (of: string) => (check: DrillCheck) => [of, check.name, resultOf(check), check.detail];
  return [...assets.flatMap(({ asset, checks }) => checks.map(row(asset))), ...smoke.map(row('the drill'))];
}

function resultOf({ ok }: DrillCheck): string {
  if (ok === null) return 'NOT CARRIED OUT';
  return ok ? 'ok' : 'FAILED';
}

function phaseRows({ phases }: DrillRecord): string[][] {
  return phases.map(({ name, startedAt, seconds }) => [name, startedAt, exactly(seconds)]);
}

function timelineRows({ timeline = [] }: DrillRecord): string[][] {
  return timeline.map(({ at, asset, what }) => [at, asset ?? 'the drill', what]);
}

function productionRows({ production }: DrillRecord): string[][] {
  return production.map((proof) => {
    if (proof.method === 'notAccessible') return [proof.asset, 'how far the clean room was apart', proof.why];
    if (proof.method === 'gameDay') return [proof.asset, 'the game day took it down', proof.why];
    const { asset, before, after } = proof;
    return before === after
      ? [asset, 'digests before and after', `untouched: ${before}`]
      : [asset, 'digests before and after', `CHANGED: ${before}, then ${after}`];
  });
}

function keyRow({ repository, reference, from }: DrillRecord['keys'][number]): string[] {
  return [repository, reference, from];
}

function toolRow({ name, version, sha256 }: DrillRecord['tools'][number]): string[] {
  return [name, version, sha256 ?? 'not known'];
}

function commandRows({ commands }: DrillRecord): string[][] {
  return commands.map(({ asset, tool, arguments: words, exitCode, seconds }) => [
    asset ?? 'the drill',
    [tool, ...words].join(' '),
    exitCode === null ? 'ended by a signal' : String(exitCode),
    formatDuration(seconds),
  ]);
}

function failureRows({ failures }: DrillRecord): string[][] {
  return failures.map(({ asset, phase, code, message, cause, hint }) => [
    asset ?? 'the drill',
    phase,
    `${code}: ${[message, cause].filter(Boolean).join(': ')}`,
    hint,
  ]);
}

function actionRows({ actions }: DrillRecord): string[][] {
  return actions.map(({ id, what, owner, dueAt, retestBy }) => [id, what, owner, dueAt ?? '-', retestBy]);
}

function subjectRow({ name, digest }: Statement['subject'][number]): string[] {
  return [
    name,
    Object.entries(digest)
      .map(([kind, value]) => `${kind}:${value}`)
      .join(' '),
  ];
}

function listOf(items: string[]): Block[] {
  return items.length === 0 ? [] : [{ kind: 'list', items }];
}

/** What there is none of needs no heading. */
function table(title: string, head: string[], rows: string[][]): Block[] {
  return rows.length === 0
    ? []
    : [
        { kind: 'heading', text: title },
        { kind: 'table', head, rows },
      ];
}
