import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { configurationJsonSchema } from '../../../domain/configuration/json-schema.ts';
import { parseConfiguration } from '../../../domain/configuration/parse.ts';

const root = new URL('../../../', import.meta.url);

describe('holdfast.schema.json', () => {
  it('is current (else run `npx tsx tools/write-schema.ts`)', () => {
    const committed: unknown = JSON.parse(readFileSync(new URL('holdfast.schema.json', root), 'utf8'));
    assert.deepEqual(committed, configurationJsonSchema());
  });

  it('refuses unknown keys in every mapping but env', () => {
    const open: string[] = [];
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      if ('properties' in node && (node as { additionalProperties?: unknown }).additionalProperties !== false)
        open.push(path);
      for (const [key, inner] of Object.entries(node)) walk(inner, `${path}/${key}`);
    };
    walk(configurationJsonSchema(), '');
    assert.deepEqual(open, []);
  });
});

describe('examples', () => {
  const folder = new URL('examples/', root);
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

  it('has the one for one machine', () => assert.ok(names.includes('one-machine')));

  for (const name of names) {
    it(`${name} is right, and nothing in it needs a warning`, () => {
      const text = readFileSync(new URL(`${name}/holdfast.yaml`, folder), 'utf8');
      const { warnings } = parseConfiguration(text, {
        file: `examples/${name}/holdfast.yaml`,
        folder: '/etc/holdfast',
      });
      assert.deepEqual(warnings, []);
      assert.match(text, /^# yaml-language-server: \$schema=\.\.\/\.\.\/holdfast\.schema\.json$/m);
    });
  }
});
