import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { HoldfastError } from '../../domain/errors.ts';
import type { Installer } from '../../tools/install.ts';
import { resolveTool } from '../../tools/resolve.ts';
import type { PinnedTool } from '../../tools/tool-definition.ts';
import { fakeTool, putProgram, withDirectory, withServer } from './fake-tools.ts';

const noGo: Installer = () => Promise.reject(new Error('Go is not installed'));

function fromRelease(baseUrl: string, archive: string): PinnedTool {
  const go = { package: 'example.org/fake', linkerFlags: '', usualSeconds: 1 };
  return { ...fakeTool, release: { baseUrl, archive: () => archive, checksums: 'SHA256SUMS' }, go };
}

function resolveFrom(directory: string, definition: PinnedTool) {
  return resolveTool('fake', {
    manifest: { fake: definition },
    cacheDirectory: join(directory, 'cache'),
    searchPath: [join(directory, 'empty')],
    installers: { go: noGo },
  });
}

async function tarOf(directory: string): Promise<Buffer> {
  await mkdir(join(directory, 'made'));
  await putProgram(join(directory, 'made/fake_2.1.0_Linux'), '2.1.0');
  await execa('tar', ['-czf', join(directory, 'fake.tar.gz'), '-C', join(directory, 'made'), '.']);
  return readFile(join(directory, 'fake.tar.gz'));
}

async function bzip2Of(directory: string): Promise<Buffer> {
  const program = await putProgram(join(directory, 'made'), '2.1.0');
  await execa('bzip2', [program]);
  return readFile(`${program}.bz2`);
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

describe('a release archive', () => {
  for (const [kind, make] of Object.entries({ 'fake.tar.gz': tarOf, 'fake.bz2': bzip2Of })) {
    it(`is taken when its published SHA-256 is right (${kind})`, () =>
      withDirectory(async (directory) => {
        const content = await make(directory);
        const checksums = `${sha256(Buffer.from('another'))}  other-${kind}\n${sha256(content)}  ${kind}\n`;
        await withServer({ [kind]: content, SHA256SUMS: checksums }, async (baseUrl) => {
          const found = await resolveFrom(directory, fromRelease(baseUrl, kind));
          assert.equal(found.origin, 'release');
          assert.equal((await execa(found.path, ['--version'])).stdout, 'fake 2.1.0');
        });
      }));
  }

  it('is refused when it is not what was published', () =>
    withDirectory(async (directory) => {
      const published = sha256(await tarOf(directory));
      const files = { 'fake.tar.gz': 'something else', SHA256SUMS: `${published}  fake.tar.gz\n` };
      await withServer(files, async (baseUrl) => {
        await assert.rejects(
          resolveFrom(directory, fromRelease(baseUrl, 'fake.tar.gz')),
          (error: HoldfastError) =>
            error.cause.includes(
              `refused: the SHA-256 of fake.tar.gz is ${sha256(Buffer.from('something else'))}`,
            ) && error.cause.includes(published),
        );
      });
      await assert.rejects(readFile(join(directory, 'cache/fake/2.1.0/fake')), { code: 'ENOENT' });
    }));

  it('is refused when it is published without a SHA-256, even one that would run', () =>
    withDirectory(async (directory) => {
      const content = await tarOf(directory);
      const files = { 'fake.tar.gz': content, SHA256SUMS: `${sha256(content)}  fake.tar.gz.sig\n` };
      await withServer(files, async (baseUrl) => {
        await assert.rejects(
          resolveFrom(directory, fromRelease(baseUrl, 'fake.tar.gz')),
          (error: HoldfastError) => /refused: .*SHA256SUMS has no SHA-256 of fake\.tar\.gz/.test(error.cause),
        );
      });
    }));

  it('is held against the SHA-256 in the manifest where there is one', () =>
    withDirectory(async (directory) => {
      const content = await tarOf(directory);
      await withServer({ 'fake.tar.gz': content }, async (baseUrl) => {
        const definition = fromRelease(baseUrl, 'fake.tar.gz');
        const pinned = (digest: string): PinnedTool => ({
          ...definition,
          release: { ...definition.release!, sha256: { 'fake.tar.gz': digest } },
        });
        await assert.rejects(resolveFrom(directory, pinned('0'.repeat(64))), { code: 'tool.missing' });
        assert.equal((await resolveFrom(directory, pinned(sha256(content)))).origin, 'release');
      });
    }));

  it('that is not there is said so', () =>
    withDirectory((directory) =>
      withServer({}, async (baseUrl) => {
        await assert.rejects(
          resolveFrom(directory, fromRelease(baseUrl, 'fake.tar.gz')),
          (error: HoldfastError) => error.cause.includes(`${baseUrl}SHA256SUMS answered 404`),
        );
      }),
    ));
});

describe('without network and without Go', () => {
  it('the error names the tool, each thing tried with its reason, and three ways out', () =>
    withDirectory(async (directory) => {
      const closedPort = await withServer({}, async (baseUrl) => baseUrl);
      const begun = Date.now();
      const resolving = resolveFrom(directory, fromRelease(closedPort, 'fake.tar.gz'));
      const error = await resolving.then(
        () => assert.fail('resolved'),
        (thrown: unknown) => thrown as HoldfastError,
      );
      assert.ok(Date.now() - begun < 6_000);
      assert.equal(error.code, 'tool.missing');
      assert.equal(error.message, 'fake 2.1.0 is missing, needed by tests');
      const host = new URL(closedPort).host;
      const tried = [
        /^PATH: no fake in its 1 folders$/,
        /^cache: there is no .*fake\/2\.1\.0\/fake$/,
        new RegExp(`^release archive: ${host} can't be reached: .*ECONNREFUSED`),
        /^Go module: Go is not installed$/,
      ];
      const lines = error.cause.split('\n');
      assert.equal(lines.length, tried.length);
      tried.forEach((pattern, place) => assert.match(lines[place]!, pattern));
      assert.match(
        error.hint,
        /put fake 2\.0\.0 or newer on the PATH .*; or let this machine reach .*; or install Go/,
      );
    }));
});
