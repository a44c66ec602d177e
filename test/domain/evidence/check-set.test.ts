import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AuditEvent } from '../../../domain/audit-chain.ts';
import type { EvidenceFile } from '../../../domain/evidence/check.ts';
import { checkEvidenceSet } from '../../../domain/evidence/check-set.ts';
import { readEnvelope } from '../../../domain/evidence/envelope.ts';
import { MANIFEST_FILE } from '../../../domain/evidence/manifest.ts';
import { exportOf, handover, newSigner, nth, series, sha256, signatures } from './evidence-fixture.ts';

describe('evidence as a set', () => {
  const [first, second, stranger] = [newSigner(), newSigner(), newSigner()];
  const signed = Array.from({ length: 5 }, (_, n) => ({ record: nth(n + 1), signer: first }));
  const envelopes = series(signed);
  const files = exportOf(envelopes, first);
  const pieces = files.filter(({ name }) => name.endsWith('.json') && name !== MANIFEST_FILE);

  const check = (
    of: readonly EvidenceFile[],
    { whole = true, audit = null as AuditEvent[] | null, trusted = first.publicKey } = {},
  ) => checkEvidenceSet({ files: of, whole }, signatures, { trusted, audit });
  const found = (...given: Parameters<typeof check>) =>
    check(...given).problems.map(({ file, altered }) => `${file ?? '-'} ${altered}`);
  const chain = (of: string[]): AuditEvent[] =>
    of.map((text, index) => {
      const opened = readEnvelope(text);
      const payload = sha256(typeof opened === 'string' ? '' : opened.payload);
      const details = { sequence: index + 1, digest: sha256(text), payload };
      const event = { action: 'evidence.recorded', subject: 'drill/x', actor: 'w', at: '' };
      return { ...event, details, sequence: index + 1, previous: '', digest: '' };
    });

  it('is whole with its manifest, in whatever order it is read', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
        const report = check(shuffled);
        assert.deepEqual([report.problems, report.completeBy], [[], 'manifest']);
        assert.deepEqual(
          report.items.map(({ statement }) => statement?.predicate.sequence),
          [1, 2, 3, 4, 5],
        );
      }),
      { numRuns: 10 },
    );
  });

  it('shows each file that was removed, the last one and a rendering too', () => {
    for (const { name } of files) {
      const left = files.filter((file) => file.name !== name);
      const problems = found(left);
      assert.ok(problems.includes(`${name} missing`), `${name}: ${problems.join()}`);
    }
  });

  it('shows each file that was altered by a byte, renderings and manifest too', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: files.length - 1 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (index, share) => {
          const { name, text } = files[index]!;
          const at = Math.floor(share * text.length);
          const edited = text.slice(0, at) + (text[at] === 'x' ? 'y' : 'x') + text.slice(at + 1);
          const problems = found(files.with(index, { name, text: edited }));
          assert.ok(
            problems.some((problem) => problem.startsWith(name)),
            problems.join(),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('shows pieces whose names were exchanged, and one that stands there twice', () => {
    const [a, b, ...rest] = pieces;
    const exchanged = [{ name: a!.name, text: b!.text }, { name: b!.name, text: a!.text }, ...rest];
    assert.deepEqual(
      found(exchanged, { audit: chain(envelopes) }).sort(),
      [`${a!.name} order`, `${b!.name} order`].sort(),
    );
    const twice = [...pieces, { name: 'again.json', text: a!.text }];
    assert.ok(
      found(twice, { audit: chain(envelopes) }).some(
        (problem) => problem.includes('again.json order') || problem === `${a!.name} order`,
      ),
    );
  });

  it('shows a gap without a manifest, and that its end is open', () => {
    assert.deepEqual(found(pieces), [`${MANIFEST_FILE} missing`]);
    assert.deepEqual(found(pieces.toSpliced(2, 1)), ['- missing', `${MANIFEST_FILE} missing`]);
    assert.deepEqual(found([]), [`${MANIFEST_FILE} missing`]);
  });

  it('claims nothing of files given by name but what they are, and that neighbours follow', () => {
    const [a, , c, d] = pieces;
    const report = check([a!, c!, d!], { whole: false });
    assert.deepEqual([report.problems, report.completeBy], [[], null]);
    const others = series([...signed.slice(0, 2), { record: nth(9), signer: first }, ...signed.slice(3)]);
    const mixed = [c!, { name: 'd.json', text: others[3]! }];
    assert.deepEqual(found(mixed, { whole: false }), ['d.json order']);
  });

  it('shows one replaced by another that the same key signed', () => {
    const replaced = series([{ record: nth(1, { operator: 'bert' }), signer: first }]);
    const mixed = [{ name: pieces[0]!.name, text: replaced[0]! }, ...pieces.slice(1)];
    const audit = chain(envelopes);
    assert.deepEqual(found(mixed, { audit }), [`${pieces[1]!.name} order`, `${pieces[0]!.name} payload`]);
  });

  it('is held against the audit chain: removed, made up, or never exported', () => {
    const audit = chain(envelopes);
    assert.deepEqual(found(pieces, { audit }), []);
    assert.equal(check(pieces, { audit }).completeBy, 'audit');
    assert.deepEqual(found(pieces.slice(0, 4), { audit }), ['- missing']);
    assert.deepEqual(found(pieces, { audit: audit.slice(0, 4) }), [`${pieces[4]!.name} added`]);
    const older = exportOf(envelopes.slice(0, 3), first);
    assert.deepEqual(found(older, { audit }), [], 'an older export is whole as of its time');
  });

  it('shows a manifest that somebody else made for what is left', () => {
    const left = exportOf(envelopes.slice(0, 4), stranger);
    assert.deepEqual(found(left), [`${MANIFEST_FILE} key`]);
  });

  it('follows rotations, and shows what a replaced key signed afterwards', () => {
    const handovers = [handover(first, second)];
    const rotated = series([
      signed[0]!,
      { record: nth(2), signer: second, handovers },
      { record: nth(3), signer: first },
    ]);
    const right = exportOf(rotated.slice(0, 2), second, handovers);
    assert.deepEqual(found(right), []);
    const late = exportOf(rotated, second, handovers);
    assert.deepEqual(found(late), [
      `${late.find(({ name }) => name.startsWith('000003'))!.name.replace(/md$/, 'json')} key`,
    ]);
  });
});
