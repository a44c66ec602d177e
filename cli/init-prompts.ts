// The five kinds of question `init` asks, on standard error: standard output is for the result. Ctrl-C or
// Escape at any of them ends the command.

import * as clack from '@clack/prompts';
import { HoldfastError } from '../domain/errors.ts';

export interface Prompts {
  text(question: Question & { initial?: string }): Promise<string>;
  /** Shown as dots. */
  secret(question: Question): Promise<string>;
  select<Value extends string>(question: {
    message: string;
    options: { value: Value; label: string; hint?: string }[];
  }): Promise<Value>;
  confirm(question: { message: string; initial: boolean }): Promise<boolean>;
  say(words: string): void;
}

export interface Question {
  message: string;
  /** Why an answer can't be taken; undefined takes it. */
  check(text: string): string | undefined;
}

export function terminalPrompts(): Prompts {
  const output = process.stderr;
  return {
    text: async ({ message, initial, check }) => {
      const validate = (text: string | undefined) => check((text ?? '').trim());
      const given = { message, validate, output, ...(initial ? { initialValue: initial } : {}) };
      return (answered(await clack.text(given)) ?? '').trim();
    },
    secret: async ({ message, check }) => {
      const validate = (text: string | undefined) => check((text ?? '').trim());
      return (answered(await clack.password({ message, validate, output })) ?? '').trim();
    },
    select: async <Value extends string>(question: {
      message: string;
      options: { value: Value; label: string; hint?: string }[];
    }) => {
      const options = question.options as clack.Option<Value>[];
      return answered(await clack.select<Value>({ message: question.message, options, output }));
    },
    confirm: async ({ message, initial }) =>
      answered(await clack.confirm({ message, initialValue: initial, output })),
    say: (words) => clack.log.message(words, { output }),
  };
}

function answered<Answer>(answer: Answer | typeof clack.CANCEL_SYMBOL): Answer {
  if (!clack.isCancel(answer)) return answer;
  throw new HoldfastError({
    code: 'cancelled',
    message: 'init was ended at a question',
    hint: 'what had been written by then stays; `holdfast init` begins again',
  });
}
