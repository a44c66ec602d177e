// What is refused and why. The lines between the folders are in tools/lint/rooms.js, one table.
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { fileNames } from './tools/lint/file-names.js';
import { importLines } from './tools/lint/import-lines.js';

const childProcess = ['node:child_process', 'child_process'].map((name) => ({
  name,
  message: 'processes are started through execa (in activities through run-command.ts): it ends them with us',
  allowTypeImports: true,
}));

const execaCommand = {
  name: 'execa',
  importNames: ['execaCommand', 'execaCommandSync', 'parseCommandString'],
  message: 'it splits a string into arguments: names from outside could become options. Give a list.',
};

const execaWhole = {
  name: 'execa',
  message:
    'a tool is run by runCommand (activities/run-command.ts): cancel, stall and the death of the worker all end it',
};

export default defineConfig(
  globalIgnores(['node_modules/', 'dist/', 'coverage/', '.holdfast/', '.holdfast-demo/', 'web/dist/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{ts,js,mjs}'],
    plugins: {
      '@typescript-eslint': tseslint.plugin,
      house: { rules: { 'import-lines': importLines, 'file-names': fileNames } },
    },
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
    rules: {
      'house/import-lines': 'error',
      'house/file-names': 'error',
      'max-lines': ['error', 350],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-eval': 'error',
      '@typescript-eslint/no-restricted-imports': ['error', { paths: [...childProcess, execaCommand] }],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ExportDefaultDeclaration, ExportSpecifier[exported.name="default"]',
          message: 'a default export has no name of its own to search for: export it by name',
        },
        {
          selector: 'Property[key.name="shell"]:not([value.value=false])',
          message: 'a shell would read names from outside as code: give a program and a list of arguments',
        },
        {
          selector: 'ImportExpression[source.value=/^(node:)?child_process$/]',
          message: 'processes are started through execa',
        },
      ],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      // An `async` without `await` keeps a promise's contract: it turns a throw into a rejection.
      '@typescript-eslint/require-await': 'off',
      // What we hand out are plain objects of functions: no `this` to lose.
      '@typescript-eslint/unbound-method': 'off',
      // The compiler has it (noUnusedLocals, noUnusedParameters).
      '@typescript-eslint/no-unused-vars': 'off',
    },
  },
  {
    files: ['activities/**/*.ts'],
    ignores: ['activities/run-command.ts', 'activities/secrets.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { paths: [...childProcess, execaWhole] }],
    },
  },
  {
    // execa passes no open files beyond the third on, and the server's folder is handed over as one
    // (docs/decisions/0001). run.mjs runs before there is a node_modules. What `up --detach` starts outlives us.
    files: ['activities/hosts/postgres-*.ts', 'tools/run.mjs', 'cli/up-stack.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': 'off' },
  },
  {
    // A contract suite is one long list, and what a test kills it may have to start with bare hands.
    files: ['test/**/*.ts'],
    rules: {
      'max-lines': ['error', 500],
      // What a program printed is JSON of any shape; the assertions say which.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-restricted-imports': ['error', { paths: [execaCommand] }],
    },
  },
  { files: ['cli/**', 'tools/**', 'bench/**'], rules: { 'no-console': 'off' } },
  { files: ['eslint.config.js'], rules: { 'no-restricted-syntax': 'off' } },
);
