const SHOWN_EXAMPLES = 10;

/** How many there are, and the first ones as shown to a person. */
export interface Examples {
  count: number;
  examples: string[];
}

export function addExample(examples: Examples, text: string): void {
  examples.count += 1;
  if (examples.examples.length < SHOWN_EXAMPLES) examples.examples.push(text);
}
