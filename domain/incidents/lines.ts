// Text of tools and of people, made fit for the lines of a message.

/** Tools' words hold line breaks, and a header must not. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\0-\x1f\x7f\s]+/g, ' ').trim();
}

export function indented(text: string): string {
  return text.trimEnd().replaceAll('\n', '\n         ');
}

export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

export function moment(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)}Z`;
}
