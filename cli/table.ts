import { printable } from './printable.ts';

/** Columns without lines, two spaces apart. A cell may carry colour; what comes from outside is made printable. */
export async function table(head: string[], rows: (string | Coloured)[][]): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const drawn = new Table({
    head,
    chars: noLines,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const row of rows) drawn.push(row.map(cell));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A cell whose text is safe and may be painted. */
export interface Coloured {
  text: string;
  paint: (text: string) => string;
}

function cell(content: string | Coloured): string {
  return typeof content === 'string' ? printable(content) : content.paint(printable(content.text));
}

const noLines = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid', 'middle']
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .map((name) => [name, '']),
);
