import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { manifest } from '../../tools/manifest.ts';
import type { Manifest, PinnedTool } from '../../tools/tool-definition.ts';
import { isAtLeast } from '../../tools/version.ts';

const tools = join(import.meta.dirname, '../../tools');
const pinned = Object.entries<Manifest[string]>(manifest).filter(
  (entry): entry is [string, PinnedTool] => entry[1].kind === 'pinned',
);

describe('the manifest', () => {
  for (const [name, definition] of pinned) {
    it(`names ${name} in one version wherever it may come from`, async () => {
      const { version, minimum, release, go, maven } = definition;
      assert.ok(isAtLeast(version, minimum));
      assert.ok(release || go || maven);
      if (release) {
        assert.ok(release.baseUrl.endsWith(`/v${version}/`));
        const archives = ['linux', 'darwin'].map((os) => release.archive({ os, arch: 'arm64' }));
        for (const archive of archives) assert.ok(archive.includes(version));
      }
      if (go) {
        const [, module] = /^(github\.com\/[^/]+\/[^/]+)\//.exec(go.package) ?? [];
        const moduleFile = await readFile(join(tools, 'go', name, 'go.mod'), 'utf8');
        assert.ok(moduleFile.includes(`\nrequire ${module} v${version}\n`));
        assert.match(
          await readFile(join(tools, 'go', name, 'go.sum'), 'utf8'),
          new RegExp(`^${module} v${version} h1:`, 'm'),
        );
      }
      if (maven) {
        const project = await readFile(join(tools, maven.directory, 'pom.xml'), 'utf8');
        assert.ok(project.includes(`<artifactId>${name}</artifactId>\n      <version>${version}</version>`));
      }
    });
  }
});
