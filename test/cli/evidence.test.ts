import assert from 'node:assert/strict';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { evidenceKey } from '../api/evidence-double.ts';
import { newSigner, pem } from '../domain/evidence/evidence-fixture.ts';
import { openSite, startHoldfast, type Site } from './command-line.ts';

describe('evidence on the command line', function () {
  this.timeout(120_000);
  let site: Site;
  let folder: string;
  let names: string[];
  before(async () => {
    site = await openSite();
    folder = join(site.folder, 'evidence');
    await writeFile(join(site.folder, 'first.pub'), pem(evidenceKey));
    await writeFile(join(site.folder, 'other.pub'), pem(newSigner()));
    const { code, stdout, stderr } = await site.run('evidence', 'export', '--output', 'evidence');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /2 pieces of evidence/);
    names = (await readdir(folder)).sort();
    // Whatever follows works without the service.
  });
  after(() => site.close());

  const verify = (...words: string[]) =>
    startHoldfast(['evidence', 'verify', ...words], site.folder, { HOLDFAST_URL: 'http://127.0.0.1:1' })
      .ended;
  const signed = () => names.filter((name) => /^\d+.*json$/.test(name)).map((name) => join('evidence', name));

  it('lists and shows them, a miss in capitals', async () => {
    const list = await site.run('evidence', 'list');
    assert.match(list.stdout, /2 +quarterly +siteLoss +MISSED/);
    const shown = await site.run('evidence', 'show', '2');
    assert.match(shown.stdout, /\*\*MISSED: everything came back, and an objective was missed\*\*/);
    assert.equal((await site.run('evidence', 'show', '9')).code, 1);
    assert.equal((await site.run('evidence', 'show')).code, 2);
    const file = await site.run('evidence', 'show', '--file', signed()[0] ?? '', '--html');
    assert.match(file.stdout, /^<!doctype html>/);
  });

  it('verifies a folder and single files with the public key alone', async () => {
    const whole = await verify('evidence', '--public-key', 'first.pub');
    assert.equal(whole.code, 0, whole.stderr);
    assert.match(whole.stdout, /2 pieces of evidence are as signed\n.*passed.*\n.*MISSED/);
    assert.match(whole.stdout, /signed by the key given.*\nnone is missing from the export of 2026-12-01/);
    const one = await verify(signed()[1] ?? '', '--public-key', 'first.pub');
    assert.equal(one.code, 0, one.stderr);
    assert.match(one.stdout, /whether others were removed cannot be seen/);
  });

  it('exits with 20 and names what was altered', async () => {
    const other = await verify('evidence', '--public-key', 'other.pub', '--json');
    assert.deepEqual([other.code, other.json.error?.code], [20, 'proof.failed']);
    assert.match(other.json.error?.cause ?? '', /key: it is signed by another key/);
    const some = [names[0], names[2], names.at(-1)].flatMap((name) => name ?? []);
    for (const name of some) {
      const path = join(folder, name);
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.slice(0, 300) + (text[300] === 'x' ? 'y' : 'x') + text.slice(301));
      const edited = await verify('evidence', '--public-key', 'first.pub');
      assert.equal(edited.code, 20, name);
      assert.match(edited.stderr, new RegExp(`${name}: `));
      await rename(path, `${path}.away`);
      const gone = await verify('evidence', '--public-key', 'first.pub');
      assert.equal(gone.code, 20, name);
      assert.match(gone.stderr, new RegExp(`${name}: missing`));
      await rm(`${path}.away`);
      await writeFile(path, text);
    }
    assert.equal((await verify('evidence', '--public-key', 'first.pub')).code, 0);
  });

  it('exits with 2 for what is not there', async () => {
    assert.equal((await verify('nowhere')).code, 2);
    assert.equal((await verify('evidence', '--public-key', 'nowhere')).code, 2);
  });

  it('does not write over a folder, nor leave half of one', async () => {
    const { code, json } = await site.run('evidence', 'export', '--output', 'evidence', '--json');
    assert.deepEqual([code, json.error?.code], [2, 'usage']);
    assert.ok(!(await readdir(site.folder)).some((name) => name.endsWith('.part')));
  });

  it('reports a period against the controls, and misses as misses', async () => {
    const words = ['--from', '2026-11-01', '--to', '2026-12-01'];
    const report = await site.run('evidence', 'report', ...words);
    assert.equal(report.code, 0, report.stderr);
    assert.match(report.stdout, /\| SOC 2 A1\.3 \| .* \| MISSED \| 1 \|/);
    assert.match(report.stdout, /\| SOC 2 A1\.2 \| .* \| shown \| 1 \|/);
    assert.match(report.stdout, /number 2, quarterly: missed/);
    assert.equal((await site.run('evidence', 'report', ...words, '--check')).code, 21);
  });
});
