// Colour only adds to what the words say. NO_COLOR and a standard output that is no terminal turn it off.

import colours from 'picocolors';
import type { Coloured } from './table.ts';

export function statusCell(status: string): Coloured {
  return { text: status, paint: paints[status] ?? plain };
}

const plain = (text: string) => text;

const paints: Record<string, (text: string) => string> = {
  ok: colours.green,
  success: colours.green,
  proven: colours.green,
  completed: colours.green,
  warning: colours.yellow,
  unknown: colours.yellow,
  rolledBack: colours.yellow,
  critical: colours.red,
  failed: colours.red,
  damaged: colours.red,
  running: colours.cyan,
};
