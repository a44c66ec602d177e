import type { Command } from 'commander';

/** A noun with verbs below it; alone it is bad usage and shows what there is. */
export function group(program: Command, name: string, description: string): Command {
  return program.command(name).description(description);
}

/** The end of a help text: one line each. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  holdfast ${line}`).join('\n')}\n`;
}

/** For lists: how many, and where to go on. */
export function paged(command: Command): Command {
  return command
    .option('--limit <number>', 'how many at most (1 to 500)', '50')
    .option('--cursor <cursor>', 'go on where the list before ended (its `next`)');
}

export interface PagedOptions {
  limit: string;
  cursor?: string;
}

export interface List<Item> {
  items: Item[];
  next: string | null;
}

/** Told beside the table, not in it. */
export function moreLine(list: List<unknown>): string {
  return list.next === null ? '' : `\nmore with --cursor ${list.next}`;
}
