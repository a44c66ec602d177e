// Writes holdfast.schema.json from the zod schema: `tsx tools/write-schema.ts` after a change to it.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { configurationJsonSchema } from '../domain/configuration/json-schema.ts';

const file = fileURLToPath(new URL('../holdfast.schema.json', import.meta.url));
const options = await resolveConfig(file);
const text = await format(JSON.stringify(configurationJsonSchema()), { ...options, parser: 'json' });
const before = await readFile(file, 'utf8').catch(() => '');
if (before !== text) await writeFile(file, text);
process.stderr.write(`holdfast.schema.json ${before === text ? 'was current' : 'written'}\n`);
