// A tool that is a four-line script, and places to keep it, so that resolution is tested without the real ones.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PinnedTool } from '../../tools/tool-definition.ts';

export const fakeTool: PinnedTool = {
  kind: 'pinned',
  version: '2.1.0',
  minimum: '2.0.0',
  probe: { args: ['--version'], pattern: /^fake (\S+)/m },
  neededBy: ['tests'],
  neededFor: 'run',
  homepage: 'https://example.org/fake',
};

/** For tests that bring their own installer: the manifest only has to name a way. */
export const installableTool: PinnedTool = {
  ...fakeTool,
  release: { baseUrl: 'http://127.0.0.1:9/', archive: () => 'fake.tar.gz', checksums: 'SHA256SUMS' },
};

export function fakeProgram(version: string): string {
  return `#!/bin/sh\necho "fake ${version}"\n`;
}

export async function putProgram(directory: string, version: string, name = 'fake'): Promise<string> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, name);
  await writeFile(path, fakeProgram(version));
  await chmod(path, 0o755);
  return path;
}

export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-tools-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Serves these files, by name, until `use` has ended. */
export async function withServer<T>(
  files: Record<string, Buffer | string>,
  use: (baseUrl: string) => Promise<T>,
): Promise<T> {
  const server = createServer((request, response) => {
    const file = files[(request.url ?? '/').slice(1)];
    if (file === undefined) response.writeHead(404);
    response.end(file);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}
