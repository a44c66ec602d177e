// A document as both renderings need it: headings, sentences, facts and tables of plain text. Each rendering
// escapes for itself, so that nothing of what a record holds is read as markup.

export interface Document {
  title: string;
  blocks: Block[];
}

export type Block =
  | { kind: 'heading'; text: string }
  | { kind: 'text'; text: string }
  /** Something a reader must not miss; `good` only where nothing is wrong. */
  | { kind: 'verdict'; good: boolean; text: string }
  | { kind: 'list'; items: string[] }
  | { kind: 'facts'; facts: [string, string][] }
  | { kind: 'table'; head: string[]; rows: string[][] };

export function markdownOf({ title, blocks }: Document): string {
  return `${[`# ${inline(title)}`, ...blocks.map(markdown)].join('\n\n')}\n`;
}

export function htmlOf({ title, blocks }: Document): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    // Nothing is fetched and nothing runs, whatever a name in it may try.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    `<h1>${escaped(title)}</h1>`,
    ...blocks.map(html),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

const STYLE = [
  'body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}',
  'table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem;font-size:.9rem}',
  'th,td{border:1px solid #c8c8c8;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}',
  'th{background:#f2f2f2}',
  '.verdict{padding:.6rem 1rem;border-left:.4rem solid #a40000;background:#fdf0f0;font-weight:600}',
  '.verdict.good{border-color:#1a6b1a;background:#eef7ee}',
].join('');

function markdown(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `## ${inline(block.text)}`;
    case 'text':
      return inline(block.text);
    case 'verdict':
      return `**${inline(block.text)}**`;
    case 'list':
      return block.items.map((item) => `- ${inline(item)}`).join('\n');
    case 'facts':
      return markdownTable(['', ''], block.facts);
    case 'table':
      return markdownTable(block.head, block.rows);
  }
}

function markdownTable(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map(inline).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- ').join('|')}|`, ...rows.map(line)].join('\n');
}

function html(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h2>${escaped(block.text)}</h2>`;
    case 'text':
      return `<p>${escaped(block.text)}</p>`;
    case 'verdict':
      return `<p class="verdict${block.good ? ' good' : ''}">${escaped(block.text)}</p>`;
    case 'list':
      return `<ul>\n${block.items.map((item) => `<li>${escaped(item)}</li>`).join('\n')}\n</ul>`;
    case 'facts':
      return htmlTable(
        [],
        block.facts.map(([name, value]) => `<th>${escaped(name)}</th><td>${escaped(value)}</td>`),
      );
    case 'table':
      return htmlTable(
        block.head,
        block.rows.map((row) => row.map((cell) => `<td>${escaped(cell)}</td>`).join('')),
      );
  }
}

function htmlTable(head: string[], rows: string[]): string {
  const titles = head.map((cell) => `<th>${escaped(cell)}</th>`).join('');
  const lines = [...(titles ? [titles] : []), ...rows].map((row) => `<tr>${row}</tr>`);
  return `<table>\n${lines.join('\n')}\n</table>`;
}

/** One line of text in which no character is markup, and none reorders what a reader sees. */
function inline(text: string): string {
  return visible(text).replaceAll(/[\\`*_{}[\]<>#|~&!]/g, '\\$&');
}

function escaped(text: string): string {
  return visible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function visible(text: string): string {
  return text
    .replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, ' / ')
    .replaceAll(
      /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}
