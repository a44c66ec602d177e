// The report of a period for a reader.

import type { Block, Document } from './document.ts';
import type { ControlReport, ControlResult, ReportedDrill } from './report.ts';

export function reportDocument(report: ControlReport): Document {
  const { period, drills, notHeld, openActions, controls } = report;
  const missed = controls.filter(({ state }) => state !== 'shown');
  return {
    title: `Recovery drills from ${period.from} to ${period.to}`,
    blocks: [
      {
        kind: 'verdict',
        good: missed.length === 0,
        text:
          missed.length === 0
            ? 'Every control is shown by the drills of this period'
            : `Not shown without a miss: ${missed.map(({ control }) => control).join(', ')}`,
      },
      { kind: 'heading', text: 'Controls' },
      { kind: 'table', head: ['control', 'asks', 'result', 'evidence'], rows: controls.map(controlRow) },
      ...controls.flatMap(missesOf),
      { kind: 'heading', text: 'Drills' },
      ...table(
        ['#', 'drill', 'ended', 'outcome', 'RTO', 'RPO', 'assets', 'why', 'retested by', 'signed off by'],
        drills.map(drillRow),
        'None was held.',
      ),
      { kind: 'heading', text: 'Due and not held' },
      ...(notHeld === null
        ? [text('No schedule of drills is known: whether one was due and not held cannot be said.')]
        : table(
            ['drill', 'due'],
            notHeld.map(({ drill, dueAt }) => [drill, dueAt]),
            'None.',
          )),
      { kind: 'heading', text: 'Corrective actions not yet tested again' },
      ...table(
        ['of', 'id', 'what', 'owner', 'due'],
        openActions.map((one) => [String(one.sequence), one.action, one.what, one.owner, one.dueAt ?? '-']),
        'None.',
      ),
      text(`Made ${report.madeAt}. Numbers are those of the signed evidence, which alone proves something.`),
    ],
  };
}

function drillRow(drill: ReportedDrill): string[] {
  const { sequence, name, scenario, source, endedAt, outcome, rto, rpo, assets, reasons } = drill;
  const said = (how: ReportedDrill['outcome']) => (how === 'passed' ? how : how.toUpperCase());
  return [
    ...[String(sequence), `${name} (${scenario} from ${source})`, endedAt, said(outcome), rto, rpo],
    ...[assets.join(', '), reasons.join('; ')],
    drill.retests.map((retest) => `number ${retest.sequence}: ${said(retest.outcome)}`).join(', ') || '-',
    drill.approval === null ? 'nobody' : `${drill.approval.by} on ${drill.approval.at}`,
  ];
}

const STATES: Record<ControlResult['state'], string> = {
  shown: 'shown',
  missed: 'MISSED',
  notShown: 'NOT SHOWN',
};

function controlRow({ control, asks, state, by }: ControlResult): string[] {
  return [control, asks, STATES[state], by.length === 0 ? 'none' : by.map(String).join(', ')];
}

function missesOf({ control, misses }: ControlResult): Block[] {
  if (misses.length === 0) return [];
  return [text(`${control}:`), { kind: 'list', items: misses }];
}

function table(head: string[], rows: string[][], none: string): Block[] {
  return rows.length === 0 ? [text(none)] : [{ kind: 'table', head, rows }];
}

function text(words: string): Block {
  return { kind: 'text', text: words };
}
