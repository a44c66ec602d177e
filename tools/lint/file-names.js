// Kebab-case for every file and folder, so that a name can be guessed: `recovery-point.ts`, `restore.test.ts`.
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const kebabCase = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

/** @type {import('eslint').Rule.RuleModule} */
export const fileNames = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { name: '"{{part}}" is not kebab-case: write it like recovery-point.ts, in whole words' },
  },
  create(context) {
    const part = relative(root, context.filename)
      .split(sep)
      .find((name) => name !== '..' && !kebabCase.test(name));
    return {
      Program(node) {
        if (part !== undefined) context.report({ node, messageId: 'name', data: { part } });
      },
    };
  },
};
