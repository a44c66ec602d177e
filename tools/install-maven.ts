// Copies a Java program's jars with Maven, checks each against the SHA-256 committed beside its pom.xml, and
// writes the script that runs it.
import { copyFile, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { digestIn, sha256Of } from './install-release.ts';
import type { InstallRequest } from './install.ts';

const longestCopyMs = 10 * 60_000;

export async function copyMavenJars({ name, definition, directory }: InstallRequest): Promise<void> {
  const project = definition.maven!;
  const projectDirectory = join(import.meta.dirname, project.directory);
  // Maven writes beside the pom.xml it reads, and the checkout may be read-only.
  const pom = join(directory, 'pom.xml');
  const jars = join(directory, 'lib');
  await copyFile(join(projectDirectory, 'pom.xml'), pom);
  await runMaven([
    '-f',
    pom,
    'dependency:copy-dependencies',
    `-DoutputDirectory=${jars}`,
    '-DincludeScope=runtime',
  ]);
  await checkJars(jars, await readFile(join(projectDirectory, 'SHA256SUMS'), 'utf8'));
  await writeFile(join(directory, name), script(project.mainClass), { mode: 0o755 });
  await rm(pom);
}

async function runMaven(args: string[]): Promise<void> {
  const { failed, code, timedOut, stdout, stderr } = await execa(
    'mvn',
    ['--batch-mode', '--no-transfer-progress', '--strict-checksums', ...args],
    { reject: false, stdin: 'ignore', timeout: longestCopyMs },
  );
  if (code === 'ENOENT') throw new Error('Maven is not installed');
  if (timedOut) throw new Error(`Maven did not end within ${longestCopyMs / 60_000} min`);
  if (failed) throw new Error(`Maven failed: ${firstError(stdout) || stderr}`);
}

async function checkJars(directory: string, checksums: string): Promise<void> {
  const expected = checksums.split('\n').filter((line) => line !== '').length;
  const jars = await readdir(directory);
  for (const jar of jars) {
    const digest = digestIn(checksums, jar);
    if (digest === undefined) throw new Error(`refused: ${jar} has no committed SHA-256`);
    const actual = await sha256Of(join(directory, jar));
    if (actual !== digest)
      throw new Error(`refused: the SHA-256 of ${jar} is ${actual} where ${digest} is committed`);
  }
  if (jars.length !== expected)
    throw new Error(`Maven brought ${jars.length} jars where ${expected} are needed`);
}

/** `exec`, so that a signal to the script reaches the server. */
function script(mainClass: string): string {
  return `#!/bin/sh\nexec java -cp "$(dirname "$0")/lib/*" ${mainClass} "$@"\n`;
}

function firstError(output: string): string {
  return output.split('\n').find((line) => line.startsWith('[ERROR]')) ?? '';
}
