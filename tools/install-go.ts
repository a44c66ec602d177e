// Builds a tool from our own module in tools/go/<tool>, which requires it in one version; go.sum checks every
// line of source that goes in.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { InstallRequest } from './install.ts';

const longestBuildMs = 20 * 60_000;

export async function buildGoModule({ name, definition, directory }: InstallRequest): Promise<void> {
  const { package: commandPackage, linkerFlags } = definition.go!;
  const { failed, code, timedOut, stderr } = await execa(
    goCommand(),
    [
      'build',
      '-mod=readonly',
      '-trimpath',
      '-buildvcs=false',
      '-ldflags',
      linkerFlags,
      '-o',
      join(directory, name),
      commandPackage,
    ],
    {
      cwd: join(import.meta.dirname, 'go', name),
      // No C compiler is asked for, and no workspace file above the checkout has a say.
      env: { CGO_ENABLED: '0', GOWORK: 'off' },
      reject: false,
      stdin: 'ignore',
      timeout: longestBuildMs,
    },
  );
  if (code === 'ENOENT') throw new Error('Go is not installed');
  if (timedOut) throw new Error(`go build did not end within ${longestBuildMs / 60_000} min`);
  if (failed) throw new Error(`go build failed: ${lastLines(stderr)}`);
}

/** Go's own installation instructions put it here, and not every shell's PATH has it. */
function goCommand(): string {
  const usualPlace = '/usr/local/go/bin/go';
  const onPath = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'go')));
  return !onPath && existsSync(usualPlace) ? usualPlace : 'go';
}

function lastLines(text: string): string {
  const lines = text.trim().split('\n');
  return lines
    .filter((line) => !line.startsWith('go: downloading'))
    .slice(-5)
    .join('\n');
}
