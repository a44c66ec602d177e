import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { manifest } from '../../tools/manifest.ts';
import type { ToolDefinition } from '../../tools/tool-definition.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Instruction {
  keyword: string;
  rest: string;
}

describe('Dockerfile', () => {
  let instructions: Instruction[];
  let runs: string;
  const all = (keyword: string) =>
    instructions.filter((one) => one.keyword === keyword).map((one) => one.rest);

  before(async () => {
    instructions = parseDockerfile(await readFile(`${root}Dockerfile`, 'utf8'));
    runs = all('RUN').join('\n');
  });

  it('starts from images pinned to a patch version', () => {
    const stages = new Set<string>();
    for (const rest of all('FROM')) {
      const [, image = '', stage] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
      assert.ok(stages.has(image) || /^[a-z0-9./-]+:\d+\.\d+\.\d+[a-z0-9.-]*$/.test(image), rest);
      if (stage) stages.add(stage);
    }
    assert.ok(all('FROM').length >= 2);
  });

  it('brings nothing in but from its context, its stages and package managers that check what they get', () => {
    assert.deepEqual(all('ADD'), []);
    assert.doesNotMatch(runs, /\b(curl|wget)\b|https?:\/\//);
    for (const rest of all('COPY')) assert.doesNotMatch(rest, /https?:/);
  });

  it('runs as a user without rights, decided after the last thing that needs them', () => {
    assert.equal(all('USER').at(-1), 'holdfast');
    const last = instructions.map(({ keyword }) => keyword);
    assert.ok(last.lastIndexOf('USER') > last.lastIndexOf('RUN'));
    assert.match(runs, /useradd --uid 10001/);
  });

  it('has a health check, and runs the worker', () => {
    assert.match(all('HEALTHCHECK').join(), /health\.mjs", "worker"/);
    assert.deepEqual(all('CMD'), ['["up", "--only", "worker"]']);
    assert.deepEqual(all('ENTRYPOINT'), ['["/usr/bin/tini", "--", "holdfast"]']);
  });

  const tools = Object.entries(manifest) as [string, ToolDefinition][];
  for (const [name, tool] of tools) {
    if (tool.neededFor === 'tests') continue;
    if (tool.kind === 'pinned' && tool.go) {
      const { package: commandPackage, linkerFlags } = tool.go;
      it(`builds ${name} as the manifest says`, () => {
        assert.ok(runs.includes(`-ldflags "${linkerFlags}" -o /out/${name} ${commandPackage}`), runs);
        assert.ok(all('COPY').includes(`tools/go/${name}/ ${name}/`));
      });
    }
    if (tool.kind === 'system') {
      it(`has ${name}`, () => assert.match(runs, new RegExp(`(?<=\\s)${tool.debianPackage}(?=\\s)`)));
    }
  }

  it('sends no secret, history or test into the image', async () => {
    const lines = (await readFile(`${root}.dockerignore`, 'utf8')).split('\n');
    assert.ok(lines.includes('*'), 'everything is left out that is not named');
    for (const line of lines.filter((one) => one.startsWith('!'))) {
      assert.doesNotMatch(line, /^!(\.git|test|deploy\/?$|deploy\/compose|\.holdfast|\*)/, line);
    }
  });
});

/** Comments go, continued lines become one. */
function parseDockerfile(text: string): Instruction[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, keyword = '', rest = ''] = /^\s*(\S+)\s+(.*)$/.exec(line) ?? [];
      return { keyword: keyword.toUpperCase(), rest: rest.trim().replace(/ {2,}/g, ' ') };
    });
}
