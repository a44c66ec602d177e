// The report of a period for a reader.

import type { Block, Document } from './document.ts';
import type { ControlReport, ControlResult } from './report.ts';

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
        ['#', 'drill', 'ended', 'outcome', 'RTO', 'RPO', 'assets', 'why'],
        drills.map(({ sequence, name, scenario, source, endedAt, outcome, rto, rpo, assets, reasons }) => [
          ...[String(sequence), `${name} (${scenario} from ${source})`, endedAt],
          ...[outcome === 'passed' ? outcome : outcome.toUpperCase(), rto, rpo],
          ...[assets.join(', '), reasons.join('; ')],
        ]),
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
