// The commands in a Markdown text as a reader finds them: under which headings, and the block itself.

export interface ShellBlock {
  /** The headings it stands under, from `##` on: `['Repository offsite', 'orders from offsite', 'Fetch']`. */
  headings: string[];
  text: string;
}

/** Every block that is marked `sh`, in order. */
export function shellBlocks(markdown: string): ShellBlock[] {
  const found: ShellBlock[] = [];
  let headings: string[] = [];
  let open: { fence: string; wanted: boolean; lines: string[] } | null = null;
  for (const line of markdown.split('\n')) {
    const [, fence, language] = /^(`{3,})(\w*)/.exec(line) ?? [];
    const [, signs = '', heading = ''] = /^(#{2,6}) (.+)$/.exec(line) ?? [];
    if (open) {
      if (line.trimEnd() !== open.fence) open.lines.push(line);
      else {
        if (open.wanted) found.push({ headings: headings.filter(Boolean), text: open.lines.join('\n') });
        open = null;
      }
    } else if (fence !== undefined) {
      open = { fence, wanted: language === 'sh', lines: [] };
    } else if (heading) {
      headings = [...Array.from({ length: signs.length - 2 }, (_, level) => headings[level] ?? ''), heading];
    }
  }
  return found;
}
