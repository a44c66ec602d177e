import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { execa } from 'execa';
import { seal, unseal } from '../../../activities/kit/seal.ts';
import { writeTar } from '../../../activities/kit/tar.ts';
import { skipBecause } from '../../skip.ts';

describe('the sealed part of a recovery kit', function () {
  this.timeout(120_000);
  const files = [
    { path: 'repositories/far/password', content: Buffer.from('key of far') },
    { path: 'empty', content: Buffer.alloc(0) },
    { path: 'recovery-kit.md', content: Buffer.from('é'.repeat(700)) },
  ];
  const archive = writeTar(files, new Date('2026-11-20T02:00:00Z'));
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-kit-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('unpacks with tar as it was put in, for its owner alone', async () => {
    await execa('tar', ['-x', '-C', folder], { input: archive });
    for (const { path, content } of files) assert.deepEqual(await readFile(join(folder, path)), content);
    const { stdout } = await execa('tar', ['-tv'], { input: archive });
    assert.match(stdout, /^drwx------ .* repositories\/far\/$/m);
    assert.match(stdout, /^-rw------- .* repositories\/far\/password$/m);
  });

  it('opens for each recipient, and for nobody else', async () => {
    const [one, other, stranger] = [
      await generateIdentity(),
      await generateIdentity(),
      await generateIdentity(),
    ];
    const recipients = [await identityToRecipient(one), await identityToRecipient(other)];
    const sealed = await seal(archive, { recipients });
    assert.ok(!sealed.includes('key of far'));
    for (const identity of [`# a comment\n${one}\n`, other])
      assert.deepEqual(await unseal(sealed, identity), archive);
    await assert.rejects(unseal(sealed, stranger), { code: 'secret.unresolved' });
    sealed[sealed.length - 1]! ^= 1;
    await assert.rejects(unseal(sealed, one), { code: 'secret.unresolved' });
  });

  it('opens with its passphrase alone, and lets others work while it is stretched', async () => {
    let beats = 0;
    const beating = setInterval(() => (beats += 1), 20);
    const sealed = await seal(archive, { passphrase: 'two halves' });
    clearInterval(beating);
    assert.ok(beats > 2, `${beats} beats`);
    assert.deepEqual(await unseal(sealed, 'two halves\n'), archive);
  });

  it('refuses what is no recipient', async () => {
    await assert.rejects(seal(archive, { recipients: ['age1nobody'] }), { code: 'usage' });
  });

  it('opens with the age program', async function () {
    const { exitCode } = await execa('age', ['--version'], { reject: false });
    if (exitCode !== 0) skipBecause(this, 'age is not installed');
    const identity = await generateIdentity();
    await writeFile(join(folder, 'identity'), identity);
    const sealed = await seal(archive, { recipients: [await identityToRecipient(identity)] });
    const words = ['-d', '-i', join(folder, 'identity')];
    const { stdout } = await execa('age', words, { input: sealed, encoding: 'buffer' });
    assert.deepEqual(Buffer.from(stdout), archive);
  });
});
